"""Stage 4: the language model alone, on what the finished towers see.

The queries' outputs for some thousand scenes are computed once; then each step asks other questions
about them. Four times as many answers an hour as the joint stage, for what is learned slowly:
counting.
"""
import os, random, sys, time
import torch
from network import Network, Trainer, Words, configuration, parameters
from train_language import WEIGHTS
from train_together import MATCHING_WORDS
from worlds import EasyVQA, Stream, Texts, Tokens, pixel_values, repeats, resized

if __name__ == "__main__":
    folder, steps, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    size = 32
    torch.set_num_threads(1)
    tokens = Tokens(folder)
    network = Network(configuration(tokens, MATCHING_WORDS))
    network.load_state_dict(torch.load(os.path.join(folder, "joint.pt"))["network"])
    parts = {"language": network.language_model, "projection": network.language_projection}
    trainer = Trainer("words", folder, parts, parameters(parts.values(), 0.02), 5e-4, steps,
                      warm=50, cool=0.8)
    chooser = random.Random(trainer.step * 7 + trainer.rank)
    streams = [Stream(60_000_000 * (1 + 2 * trainer.rank) + 4_000_000 * i + trainer.step * 100, p)
               for i, p in enumerate(("1-3", "usual"))]
    easy = EasyVQA()
    world, pictures, seen, began = [], [], [], time.time()
    while len(world) < count:
        if chooser.random() < 0.2:
            record, picture, _ = easy.scene(chooser.choice(easy.images))
        else:
            record, picture, _ = next(chooser.choice(streams))
            if len(record["objects"]) > 1 and not repeats(record) and chooser.random() < 0.5:
                continue
            picture = resized(picture)
        world.append(record), pictures.append(picture)
        if len(pictures) == 50:
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
                seen.append(network.query(network.see(pixel_values(pictures)))[0].float())
            pictures = []
    seen = torch.cat(seen)
    for stream in streams:
        stream.process.kill()
    print(f"{len(seen)} pictures seen in {time.time() - began:.0f} s", flush=True)
    words = Words(tokens)
    texts = Texts(tokens, chooser, 96, {**WEIGHTS, "count": 3.0, "box": 1.5}, 0.5, rare=1.5)
    while trainer.going():
        chosen = chooser.sample(range(len(seen)), size)
        ids, segment, position, weight, label = texts.batch([world[i] for i in chosen])
        with torch.autocast("cpu", torch.bfloat16):
            prefix = network.language_projection(seen[chosen])
            hidden = network.speak(prefix, ids, segment, position)
            loss, facts = words.loss(network, hidden, weight, label)
        trainer.learn(loss, facts, save=100)
