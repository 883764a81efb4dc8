"""Alternates Fovea and Pillow on the same JPEG files and prints pictures a second and their ratio.

Called by scripts/bench-pictures, which builds what this needs.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy
import PIL
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOVEA = ROOT / ".build" / "release" / "fovea"
MEAN = numpy.array([0.48145466, 0.4578275, 0.40821073], numpy.float32)
DEVIATION = numpy.array([0.26862954, 0.26130258, 0.27577711], numpy.float32)
SIDE = 224


def prepare(path):
    """What a CLIP's processor does to a file: float32 [3, 224, 224]."""
    with Image.open(path) as image:
        image = image.convert("RGB")
    short, long = sorted(image.size)
    longer = SIDE * long // short
    size = (SIDE, longer) if image.width <= image.height else (longer, SIDE)
    image = image.resize(size, Image.BICUBIC)
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    image = image.crop((left, top, left + SIDE, top + SIDE))
    pixels = numpy.asarray(image).astype(numpy.float32) / numpy.float32(255)
    pixels = (pixels - MEAN) / DEVIATION
    return numpy.ascontiguousarray(pixels.transpose(2, 0, 1)).shape


def make(folder):
    """600 JPEG files of 640 × 480 and 60 of 2400 × 1800, of photographs' sizes in bytes."""
    made = {}
    for name, count, width, height in [("640x480", 600, 640, 480), ("2400x1800", 60, 2400, 1800)]:
        made[name] = folder / name
        if made[name].exists():
            continue
        unfinished = folder / (name + ".unfinished")
        unfinished.mkdir(parents=True, exist_ok=True)
        for seed in range(count):
            random = numpy.random.default_rng(seed)
            # Noise of every scale, as edges and textures have.
            total = numpy.zeros((height, width, 3), numpy.float32)
            for cells in [3, 9, 27, 81, 243]:
                noise = random.integers(0, 256, (cells * 3 // 4, cells, 3), dtype=numpy.uint8)
                large = Image.fromarray(noise).resize((width, height), Image.BICUBIC)
                total += numpy.asarray(large, numpy.float32) * (2.0 / cells ** 0.5)
            low, high = total.min(), total.max()
            picture = ((total - low) * (255 / (high - low))).astype(numpy.uint8)
            Image.fromarray(picture).save(unfinished / f"{seed:03}.jpg", quality=90)
        unfinished.rename(made[name])
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=pathlib.Path, help="JPEG files; made where absent")
    parser.add_argument("--rounds", type=int, default=5, help="how often the two take turns")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    work = ROOT / ".build" / "pictures"
    model = work / "clip-vit-base-patch32"
    environment = dict(os.environ, FOVEA_THREADS=str(options.threads))
    work.mkdir(parents=True, exist_ok=True)
    if not model.exists():
        subprocess.run([FOVEA, "synthesize", "clip-vit-base-patch32", "--dtype", "bfloat16", model],
                       check=True)
    folders = {options.folder.name: options.folder} if options.folder else make(work)
    print(f"Pillow {PIL.__version__}, NumPy {numpy.__version__}, {options.threads} cores; "
          f"pictures a second, medians of {options.rounds} rounds")
    with multiprocessing.Pool(options.threads) as pool:
        for name, folder in folders.items():
            files = sorted(map(str, folder.rglob("*.jpg")))
            if not files:
                sys.exit(f"{folder}: no .jpg file below it")
            kilobytes = sum(map(os.path.getsize, files)) / len(files) / 1000
            rates = {"Fovea": [], "Pillow": []}
            pool.map(prepare, files, chunksize=4)  # warm, and the files are in memory
            for _ in range(options.rounds):
                output = subprocess.run(
                    [FOVEA, "bench", "--pictures", folder, "--model", model, "--repeats", "1",
                     "--json"], check=True, stdout=subprocess.PIPE, env=environment).stdout
                rates["Fovea"].append(json.loads(output)["pictures_per_second"])
                start = time.perf_counter()
                pool.map(prepare, files, chunksize=4)
                rates["Pillow"].append(len(files) / (time.perf_counter() - start))
            medians = {who: statistics.median(found) for who, found in rates.items()}
            print(f"{name}, {len(files)} files of {kilobytes:.0f} kB: "
                  + ", ".join(f"{who} {median:.0f}" for who, median in medians.items())
                  + f", ratio {medians['Fovea'] / medians['Pillow']:.2f}", flush=True)


if __name__ == "__main__":
    main()
