"""Measures an exported small Qwen-VL on scenes that no stage of the training uses.

    evaluate_qwen.py EXPORT [--scenes N] [--seed S] [--drawn N]

Scenes have one to three objects. Decoding is greedy, in float32 with all 256 rows of a picture; an
answer counts when it is equal to the right one to the letter, an answer with boxes when its names are
and every box overlaps the right one by half or more. Later turns are asked after the right answers to
the earlier ones. `first` are the opening questions of conversations. Columns: English, Chinese.
"""
import argparse, json, os, random, time
import torch
from safetensors.torch import load_file
from qwen_network import Network
from qwen_words import QwenTokens
from train_qwen import HELD_OUT, compact, show, tally
from worlds import Stream, pixel_values, resized


def load(folder):
    network = Network(json.load(open(os.path.join(folder, "config.json"))))
    weights = load_file(os.path.join(folder, "model.safetensors"))
    network.load_state_dict({k: v.float() for k, v in weights.items()})
    return QwenTokens(folder), network


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("export")
    p.add_argument("--scenes", type=int, default=200)
    p.add_argument("--seed", type=int, default=HELD_OUT)
    p.add_argument("--drawn", type=int, default=1, help="dialogues of each kind and language")
    p.add_argument("--wrong", type=int, default=20, help="how many wrong answers to show")
    a = p.parse_args()
    torch.set_num_threads(1)
    tokens, network = load(a.export)
    began, records, seen = time.time(), [], []
    stream = Stream(a.seed, "1-3", dialogues=a.drawn)
    with torch.no_grad():
        for _ in range(a.scenes + 1):
            record, picture, _ = next(stream)
            records.append(compact(record))
            seen.append(network.visual.see(pixel_values([resized(picture)]))[0])
    stream.process.kill()
    wrong = []
    show(*tally(network, tokens, torch.stack(seen), records[: a.scenes], wrong=wrong, exact=True))
    print(f"{a.scenes} scenes, {time.time() - began:.0f} s")
    for line in random.Random(2).sample(wrong, min(a.wrong, len(wrong))):
        print(*line, sep=" | ")
