"""The small CLIP.

    train_clip.py see FOLDER COUNT      what the given blocks make of COUNT scenes, written once
    train_clip.py gather FOLDER STEPS   the new blocks and the text tower learn on that
"""
import json, os, random, sys, time
import numpy as np, torch
from transformers import CLIPTokenizer
from clip_network import Network, RANKS, configuration, contrast, naming
from network import Trainer, parameters
from sayings import LEADS, NAMES, middle, ordered, say, truths, untrue, whole
from worlds import COLORS, SHAPES, SIDE, SIZES, Stream, pixel_values, resized

HELD_OUT, ALONE = 700_000_000, 710_000_000   # seeds of what is only measured
TOKENS, WIDTH = 101, 192


class Texts:
    def __init__(self, folder):
        self.tokenizer = CLIPTokenizer.from_pretrained(os.path.join(folder, "tokenizer"))
        self.cache = {}

    def ids(self, text):
        if text not in self.cache:
            self.cache[text] = self.tokenizer(text)["input_ids"]
        return self.cache[text]

    def batch(self, texts):
        return [self.ids(t) for t in texts]


def sayings(scenes, chooser):
    """One true text for each scene, then one untrue text for each, and which fits which scene."""
    known = [truths(objects) for objects in scenes]
    said, wrong = [], []
    for objects, true in zip(scenes, known):
        form, _, text = say(objects, chooser)
        said.append(text)
        wrong.append(untrue(objects, form, text, true, chooser))
    texts = said + wrong
    fits = torch.tensor([[true.get(t, 0.0) for t in texts] for true in known])
    return [chooser.choice(LEADS) + t for t in texts], fits


def ranks(scenes):
    labels = np.full((len(scenes), RANKS, 5), -100, np.int64)
    labels[:, :, :3] = 0
    for b, objects in enumerate(scenes):
        for r, o in enumerate(ordered(objects)):
            x, y = middle(o)
            labels[b, r] = [COLORS.index(o["color"]) + 1, SHAPES.index(o["shape"]) + 1,
                            SIZES.index(o["size"]) + 1, int(x * 10 / SIDE), int(y * 10 / SIDE)]
    return torch.from_numpy(labels)


def objects_of(record):
    return [{k: o[k] for k in ("shape", "color", "size", "box")} for o in record["objects"]]


def make(folder):
    texts = Texts(folder)
    end = texts.tokenizer.eos_token_id
    network = Network(configuration(end + 1, end))
    stream = Stream(5, "crowded")
    network.fit_norm(pixel_values([resized(next(stream)[1]) for _ in range(64)]))
    stream.process.kill()
    return texts, network


def held_out():
    """1,000 usual scenes and 400 of one object: (objects, pictures)."""
    scenes, pictures = [], []
    for seed, population, count in ((HELD_OUT, "usual", 1000), (ALONE, "1-1", 400)):
        stream = Stream(seed, population)
        for _ in range(count):
            record, picture, _ = next(stream)
            scenes.append(objects_of(record)), pictures.append(resized(picture))
        stream.process.kill()
    return scenes, pictures


def measure(network, texts, scenes, gathered):
    """What the aims are about, from the class tokens of the held-out scenes."""
    with torch.no_grad():
        pictures = torch.cat([network.picture(g) for g in gathered.float().split(200)])

        def read(lines):
            return torch.cat([network.text(texts.batch(lines[i: i + 200]))
                              for i in range(0, len(lines), 200)])
        facts = {}
        for form in ("caption", "placed"):
            lines = [whole(objects)[form] for objects in scenes[:1000]]
            alone = torch.tensor([lines.count(line) == 1 for line in lines])
            likeness = read(lines) @ pictures[:1000].t()
            self = torch.arange(1000)
            facts[form + " to picture"] = (likeness.argmax(1) == self)[alone].float().mean().item()
            # Among the captions the same text may come twice.
            best = likeness.argmax(0).tolist()
            facts["picture to " + form] = np.mean(
                [lines[b] == lines[i] for i, b in enumerate(best) if alone[i]])
            facts[form + "s alone"] = alone.float().mean().item()
        names = read(NAMES)
        told = (pictures[1000:] @ names.t()).argmax(1).tolist()
        facts["zero-shot"] = np.mean([NAMES[t] == f"a {o[0]['color']} {o[0]['shape']}"
                                      for t, o in zip(told, scenes[1000:])])
    return facts


def show(facts):
    print("  measured:", " ".join(f"{k} {v:.3f}" for k, v in facts.items()),
          f"({time.strftime('%H:%M:%S')})", flush=True)


def see(folder, count):
    path, index = os.path.join(folder, "seen.bf16"), os.path.join(folder, "seen.jsonl")
    _, network = make(folder)
    done = sum(1 for _ in open(index)) if os.path.exists(index) else 0
    stream = Stream(100_000_000 + done, "usual")
    size, began = TOKENS * WIDTH * 2, time.time()
    with open(path, "ab") as seen, open(index, "a") as records:
        seen.truncate(done * size)
        while done < count:
            chosen = [next(stream)[:2] for _ in range(64)]
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                hidden = network.given(pixel_values([resized(p) for _, p in chosen]))
            seen.write(hidden.bfloat16().contiguous().view(torch.int16).numpy().tobytes())
            seen.flush()
            records.write("".join(json.dumps(objects_of(r)) + "\n" for r, _ in chosen))
            records.flush()
            done += 64
            if done % 6400 == 0:
                print(f"{done} seen, {time.time() - began:.0f} s", flush=True)
    stream.process.kill()


def gather(folder, steps, size=256):
    texts, network = make(folder)
    checked, pictures = held_out()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        hidden = torch.cat([network.given(pixel_values(pictures[i: i + 100])).bfloat16()
                            for i in range(0, len(pictures), 100)])
    del pictures
    clip = network.clip
    upper = [*clip.vision_model.encoder.layers[6:], clip.vision_model.post_layernorm,
             clip.visual_projection, clip.text_projection, clip.text_model, network.names]
    groups = parameters(upper, 0.05)
    groups[1]["params"].append(clip.logit_scale)
    trainer = Trainer("gather", folder, {"network": network}, groups, 1e-3, steps, warm=50,
                      cool=0.5)
    chooser = random.Random(trainer.step * 11 + 3)
    scenes = []
    while trainer.going():
        if not scenes or trainer.step % 25 == 0:    # `see` may still be writing
            scenes = [json.loads(line) for line in open(os.path.join(folder, "seen.jsonl"))]
            seen = np.memmap(os.path.join(folder, "seen.bf16"), np.int16, "r",
                             shape=(len(scenes), TOKENS, WIDTH))
        chosen = sorted(chooser.sample(range(len(scenes)), size))
        some = [scenes[i] for i in chosen]
        inputs = torch.from_numpy(seen[chosen]).view(torch.bfloat16)
        lines, fits = sayings(some, chooser)
        with torch.autocast("cpu", torch.bfloat16):
            gathered = network.gather(inputs)
            named, facts = naming(network.names(gathered), ranks(some))
            likeness, more = contrast(clip.logit_scale, network.picture(gathered),
                                      network.text(texts.batch(lines)), fits)
        trainer.learn(likeness + named, {**facts, **more, "scale": clip.logit_scale.item()},
                      every=10, save=50)
        with torch.no_grad():
            clip.logit_scale.clamp_(max=4.6052)
        if trainer.step % 50 == 0:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                gathered = torch.cat([network.gather(h) for h in hidden.split(100)])
            show(measure(network, texts, checked, gathered))


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
    {"see": see, "gather": gather}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
