"""Measures an exported model on scenes it has not seen, with transformers' own classes.

    evaluate.py EXPORT [--scenes N] [--easy N] [--seed S]

Scenes have one to three objects and seeds that no stage of the training uses. Decoding is greedy,
an answer counts when it is equal to the right one to the letter. For every scene every kind of
question is asked once at most, chosen at random among those that the scene answers (yes and no
alike often). `caption` is the share of captions that are exactly the scene's; `objects` that name
every object by size, colour and shape and nothing else, in any order. Matching (ITM): the scene's caption
must get a chance above one half, a wrong one less; wrong ones are `hard` (one attribute of one
object changed) or another scene's.
"""
import argparse, collections, os, random, re, time
import numpy as np, torch
from tokenizers import Tokenizer
from transformers import Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval
from worlds import COLORS, EasyVQA, QUERIES, SHAPES, SIDE, Stream, Tokens, pixel_values, resized


class Answers:
    """Greedy answers of the generation model, many questions at once."""

    def __init__(self, folder):
        self.tokens = Tokens(folder)
        self.model = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()

    def prompt(self, question):
        image = [self.tokens.image] * QUERIES + [self.tokens.begin]
        return image + (self.tokens.encode(f"Question: {question} Answer:") if question else [])

    @torch.no_grad()
    def ask(self, pictures, questions, limit=48):
        prompts = [self.prompt(q) for q in questions]
        width = max(map(len, prompts))
        ids = torch.tensor([[self.tokens.pad] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        out = self.model.generate(pixel_values=pictures, input_ids=ids, attention_mask=mask,
                                  max_new_tokens=limit, do_sample=False)
        decode = self.tokens.tokenizer.decode
        return [decode(o[width:].tolist(), skip_special_tokens=True).strip() for o in out]


def named(caption):
    """The objects of a caption, in alphabetical order."""
    return sorted(caption.replace(" and ", ", ").split(", "))


def overlap(first, second):
    """Intersection over union of two written boxes; 0 for what is no box."""
    a, b = ([int(v) for v in re.findall(r"\d+", t)] for t in (first, second))
    if len(a) != 4 or len(b) != 4:
        return 0.0
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    area = [(v[2] - v[0]) * (v[3] - v[1]) for v in (a, b)]
    return wide * high / (sum(area) - wide * high)


def scenes(folder, count, seed, population="1-3", batch=50):
    answers, chooser = Answers(folder), random.Random(seed)
    stream = Stream(seed, population)
    results, boxes, wrong = collections.defaultdict(list), [], collections.Counter()
    for _ in range(0, count, batch):
        pictures, questions, expected, kinds, sizes = [], [], [], [], []
        for _ in range(batch):
            record, picture, _ = next(stream)
            by_kind = collections.defaultdict(lambda: collections.defaultdict(list))
            for kind, text, answer in record["questions"]:
                by_kind[kind]["" if kind in ("box", "half") else answer].append((text, answer))
            asked = [("caption", None, record["caption"])]
            for kind in sorted(by_kind):
                choice = chooser.choice(by_kind[kind][chooser.choice(sorted(by_kind[kind]))])
                asked.append((kind, *choice))
            for kind, text, answer in asked:
                pictures.append(resized(picture)), questions.append(text)
                expected.append(answer), kinds.append(kind), sizes.append(len(record["objects"]))
        order = sorted(range(len(questions)), key=lambda i: (kinds[i] in ("caption", "box"), kinds[i]))
        for first in range(0, len(order), 100):
            part = order[first:first + 100]
            said = answers.ask(pixel_values([pictures[i] for i in part]),
                               [questions[i] for i in part],
                               48 if any(kinds[i] in ("caption", "box") for i in part) else 4)
            for i, text in zip(part, said):
                if kinds[i] == "box":
                    boxes.append(overlap(text, expected[i]))
                else:
                    results[kinds[i]].append(text == expected[i])
                    if kinds[i] == "caption":
                        results["objects"].append(named(text) == named(expected[i]))
                        results[f"objects {sizes[i]}"].append(named(text) == named(expected[i]))
                    results[f"{kinds[i]} {sizes[i]}"].append(text == expected[i])
                    if text != expected[i]:
                        wrong[kinds[i], questions[i], text] += 1
    stream.process.kill()
    for kind in sorted(results):
        print(f"{kind:12} {len(results[kind]):5} {100 * np.mean(results[kind]):6.1f} %")
    print(f"{'box IoU':12} {len(boxes):5} median {np.median(boxes):.3f}, "
          f"at least one half {100 * np.mean(np.array(boxes) >= 0.5):.1f} %", flush=True)
    print("for example:", [list(k) for k, _ in wrong.most_common(6)])


def easy(folder, count):
    answers, world = Answers(folder), EasyVQA("test")
    asked = [(i, t, a) for i in world.images for t, a in world.questions[i]]
    if count:
        asked = random.Random(3).sample(asked, count)
    from PIL import Image
    cache, right = {}, []
    for first in range(0, len(asked), 100):
        part = asked[first:first + 100]
        for i, _, _ in part:
            if i not in cache:
                cache[i] = resized(Image.open(world.paths[i]))
        said = answers.ask(pixel_values([cache[i] for i, _, _ in part]), [t for _, t, _ in part], 4)
        right += [s == a for s, (_, _, a) in zip(said, part)]
    print(f"{'easy-VQA':12} {len(right):5} {100 * np.mean(right):6.2f} %", flush=True)


def matching(folder, count, seed):
    model = Blip2ForImageTextRetrieval.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
    stream, chooser = Stream(seed, "1-3"), random.Random(seed)
    right = collections.defaultdict(list)

    def inputs(texts):
        found = tokenizer.encode_batch(texts)
        ids = torch.tensor([e.ids for e in found])
        mask = torch.tensor([e.attention_mask for e in found])
        token = model.config.image_token_index
        if token is not None:   # then the text follows as many places as there are queries
            ids = torch.cat([torch.full((len(ids), QUERIES), token), ids], 1)
            mask = torch.cat([torch.ones(len(ids), QUERIES, dtype=torch.long), mask], 1)
        return dict(input_ids=ids, attention_mask=mask)
    with torch.no_grad():
        for _ in range(0, count, 50):
            items = [next(stream)[:2] for _ in range(50)]
            pixels = pixel_values([resized(x) for _, x in items])
            captions = [r["caption"] for r, _ in items]
            hard = [chooser.choice(r["wrongCaptions"]) for r, _ in items]
            for name, texts, truth in (("true", captions, 1), ("hard", hard, 0),
                                       ("other", captions[1:] + captions[:1], 0)):
                out = model(pixel_values=pixels, use_image_text_matching_head=True, **inputs(texts))
                right[name] += (out.logits_per_image.argmax(1) == truth).tolist()
            out = model(pixel_values=pixels, use_image_text_matching_head=False, **inputs(captions))
            right["ITC 1 of 50"] += (out.logits_per_image.argmax(1) == torch.arange(50)).tolist()
    stream.process.kill()
    for name, values in right.items():
        print(f"ITM {name:12} {len(values):5} {100 * np.mean(values):6.1f} %")
    both = 0.5 * np.mean(right["true"]) + 0.25 * (np.mean(right["hard"]) + np.mean(right["other"]))
    print(f"ITM balanced: {100 * both:.1f} %; only hard ones as wrong: "
          f"{50 * (np.mean(right['true']) + np.mean(right['hard'])):.1f} %", flush=True)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("export")
    p.add_argument("--scenes", type=int, default=1000)
    p.add_argument("--easy", type=int, default=0)
    p.add_argument("--seed", type=int, default=900_000_000)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    began = time.time()
    scenes(os.path.join(a.export, "generation"), a.scenes, a.seed)
    matching(os.path.join(a.export, "itm"), a.scenes, a.seed + 1_000_000)
    easy(os.path.join(a.export, "generation"), a.easy)
    print(f"{time.time() - began:.0f} s")
