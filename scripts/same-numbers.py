"""Compares Fovea with transformers on one checkpoint, every place of a run, at full size.

Called by scripts/same-numbers. Each run is a process of its own, since two models would not fit.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOVEA = ROOT / ".build" / "release" / "fovea"


def run(words, file):
    if not file.exists():
        print("running " + " ".join(map(str, words)), file=sys.stderr)
        subprocess.run(list(map(str, words)), check=True)
    return safe_open(file, "pt")


def group(name):
    """The stage or block that a module path belongs to."""
    found = re.match(r"(.*?\b(?:layers|layer)\.\d+)\b", name)
    return found.group(1) if found else name


def distance(reference, other):
    """The largest difference relative to the largest number, and the signal-to-noise ratio in dB."""
    a, b = reference.double().flatten(), other.double().flatten()
    # What is masked is minus infinity on one side and a large negative number on the other.
    finite = torch.isfinite(a) & torch.isfinite(b)
    a, b = a[finite], b[finite]
    top = a.abs().max().item() or 1
    noise = (a - b).square().sum().item()
    signal = a.square().sum().item()
    decibel = float("inf") if noise == 0 else 10 * torch.tensor(signal / noise).log10().item()
    return (a - b).abs().max().item() / top, decibel


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--image", type=pathlib.Path)
    parser.add_argument("--prompt", default="Question: what is in the picture? Answer:")
    parser.add_argument("--work", type=pathlib.Path, help="keeps the dumps here")
    parser.add_argument("--dtypes", nargs="*", default=["float32", "bfloat16"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        compare(options, options.work or pathlib.Path(temporary))


def compare(options, work):
    work.mkdir(parents=True, exist_ok=True)
    image = options.image
    if image is None:
        subprocess.run([str(FOVEA), "scenes", "--count", "1", "--seed", "7", "--out", str(work / "scene")],
                       check=True, stdout=subprocess.DEVNULL)
        image = work / "scene" / "000000.png"
    dumps = {}
    common = ["--image", image, "--prompt", options.prompt]
    for dtype in ["float32", "bfloat16"]:
        file = work / f"transformers-{dtype}.safetensors"
        dumps["transformers " + dtype] = run(
            [sys.executable, ROOT / "scripts" / "dump-hf.py", options.model, image, file,
             "--prompt", options.prompt, "--dtype", dtype, "--generate", 20], file)
    for dtype in options.dtypes:
        file = work / f"fovea-{dtype}.safetensors"
        dumps["fovea " + dtype] = run(
            [FOVEA, "trace", "--model", options.model, *common, "--dtype", dtype,
             "--names", "published", "--out", file], file)
    reference = dumps.pop("transformers float32")
    names = [name for name in reference.keys() if not name.startswith("inputs.")]
    order, worst, ids = [], {}, {}
    missing = {kind: [] for kind in dumps}
    for name in names:
        expected = reference.get_tensor(name)
        if name == "generated_ids":
            ids = {kind: dump.get_tensor(name).flatten().tolist() for kind, dump in dumps.items()
                   if name in dump.keys()}
            ids["transformers float32"] = expected.flatten().tolist()
            continue
        if not expected.is_floating_point():
            continue
        place = group(name)
        if place not in worst:
            order.append(place)
            worst[place] = {}
        for kind, dump in dumps.items():
            if name not in dump.keys():
                missing[kind].append(name)
                continue
            found = dump.get_tensor(name)
            if found.shape != expected.shape:
                sys.exit(f"{name}: {kind} has {tuple(found.shape)}, expected {tuple(expected.shape)}")
            relative, decibel = distance(expected, found)
            before = worst[place].get(kind, (0, float("inf")))
            worst[place][kind] = (max(before[0], relative), min(before[1], decibel))
    print("largest difference from transformers float32, relative to the largest number of a "
          "tensor; least signal-to-noise ratio in dB")
    kinds = list(dumps)
    print("| stage | " + " | ".join(kinds) + " |\n| --- |" + " --- |" * len(kinds))
    for place in order:
        cells = [f"{worst[place][kind][0]:.1e}, {worst[place][kind][1]:.0f} dB"
                 if kind in worst[place] else "" for kind in kinds]
        print(f"| {place} | " + " | ".join(cells) + " |")
    for kind in kinds:
        found = [row[kind][0] for row in worst.values() if kind in row]
        if found:
            print(f"{kind}: largest {max(found):.2e} over {len(found)} stages and blocks, "
                  f"{len(missing[kind])} places without a counterpart")
    if "fovea bfloat16" in kinds:
        worse = [place for place in order if {"fovea bfloat16", "transformers bfloat16"}
                 <= worst[place].keys() and worst[place]["fovea bfloat16"][1]
                 < worst[place]["transformers bfloat16"][1]]
        print(f"stages where Fovea's bfloat16 is farther than transformers': {worse or 'none'}")
    for kind, tokens in ids.items():
        print(f"{kind}: tokens {tokens}")


main()
