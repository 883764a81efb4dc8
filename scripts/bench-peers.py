"""Alternates Fovea and transformers on the same checkpoint and prints times and ratios.

Called by scripts/bench-peers, which sets up what this needs.
"""
import argparse
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

from pictures import opened

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOVEA = ROOT / ".build" / "release" / "fovea"
PROMPT = "Question: what is in the picture? Answer:"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=pathlib.Path, help="a BLIP-2 folder; made where absent")
    parser.add_argument("--image", type=pathlib.Path, help="a picture; a scene where absent")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two take turns")
    parser.add_argument("--tokens", type=int, default=16, help="tokens decoded a measurement")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--skip-float32", action="store_true",
                        help="leave out the vision tower in float32")
    parser.add_argument("--quantized", nargs="*", default=["int8", "int4"])
    parser.add_argument("--only", choices=["blip2", "clip"], help="one family alone")
    parser.add_argument("--clip", type=pathlib.Path, help="a CLIP folder; made where absent")
    parser.add_argument("--json", type=pathlib.Path, help="write every measurement here")
    return parser.parse_args()


def fovea(*words, threads):
    """Runs Fovea and gives back its output, its wall time and its peak memory."""
    environment = dict(os.environ, FOVEA_THREADS=str(threads))
    start = time.perf_counter()
    process = subprocess.Popen([str(FOVEA), *map(str, words)], stdout=subprocess.PIPE,
                               env=environment, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        sys.exit(f"fovea {' '.join(map(str, words))}: exit status "
                 f"{os.waitstatus_to_exitcode(status)}")
    return output, wall, usage.ru_maxrss / 2**20


def bench(model, image, options, *words):
    output, _, _ = fovea("bench", "--model", model, "--image", image, "--prompt", PROMPT,
                         "--tokens", options.tokens, "--repeats", 3, "--json", *words,
                         threads=options.threads)
    return json.loads(output)


def median_time(body, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        body()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


class Peer:
    """transformers' BLIP-2 with one type of weights."""

    def __init__(self, folder, image, dtype, options, vision_only=False):
        import torch
        from transformers import AutoImageProcessor, Blip2ForConditionalGeneration
        torch.set_num_threads(options.threads)
        self.torch, self.tokens = torch, options.tokens
        model = Blip2ForConditionalGeneration.from_pretrained(
            folder, dtype=torch.bfloat16 if vision_only else dtype).eval()
        self.vision = model.vision_model.to(dtype)
        self.model = None if vision_only else model
        processor = AutoImageProcessor.from_pretrained(folder)
        self.pixels = processor(opened(image), return_tensors="pt").pixel_values.to(dtype)
        if vision_only:
            del model
            gc.collect()

    def measure(self, ids):
        result = {}
        with self.torch.inference_mode():
            result["vision"] = median_time(lambda: self.vision(self.pixels))
            if self.model is not None:
                prompt = self.torch.tensor([ids])
                mask = self.torch.ones_like(prompt)

                def write(count):
                    self.model.generate(
                        pixel_values=self.pixels, input_ids=prompt, attention_mask=mask,
                        do_sample=False, max_new_tokens=count, min_new_tokens=count)
                result["first token"] = median_time(lambda: write(1))
                whole = median_time(lambda: write(1 + self.tokens))
                result["next token"] = (whole - result["first token"]) / self.tokens
        return result


def collect(table, name, measured):
    for key, value in measured.items():
        table.setdefault(name, {}).setdefault(key, []).append(value)


def compare_clip(options, made):
    """Pictures a second, in batches of 1 and 16, float32 and bfloat16."""
    import torch
    from transformers import AutoImageProcessor, CLIPModel
    torch.set_num_threads(options.threads)
    folder = options.clip or made / "clip-vit-base-patch32"
    if not folder.exists():
        fovea("synthesize", "clip-vit-base-patch32", "--seed", 1, "--dtype", "float32", folder,
              threads=options.threads)
    pixels = AutoImageProcessor.from_pretrained(folder)(
        opened(options.image), return_tensors="pt").pixel_values
    table = {}
    for dtype in ["float32", "bfloat16"]:
        model = CLIPModel.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
        for turn in range(options.rounds + 1):
            for count in [1, 16]:
                batch = pixels.repeat(count, 1, 1, 1).to(model.dtype)
                with torch.inference_mode():
                    found = median_time(lambda: model.get_image_features(pixel_values=batch), 5)
                if turn > 0:  # the first round warms up
                    collect(table, f"torch {dtype} {count}", {"seconds": found})
            found = bench(folder, options.image, options, "--dtype", dtype)["seconds"]
            for count in [1, 16]:
                if turn > 0:
                    collect(table, f"fovea {dtype} {count}",
                            {"seconds": found[f"embed_image, batch {count}"]})
    print("| CLIP ViT-B/32 | Fovea | torch | ratio | goal |\n| --- | --- | --- | --- | --- |")
    for dtype in ["float32", "bfloat16"]:
        for count, goal in [(1, 1.5), (16, 1.8)]:
            ours, theirs = (count / statistics.median(table[f"{who} {dtype} {count}"]["seconds"])
                            for who in ["fovea", "torch"])
            wanted = f"≥ {goal}" if dtype == "bfloat16" else ""
            print(f"| {dtype}, batch {count} | {ours:.1f}/s | {theirs:.1f}/s | "
                  f"{ours / theirs:.2f} | {wanted} |")


def main():
    options = arguments()
    made = ROOT / ".build" / "checkpoints"
    made.mkdir(parents=True, exist_ok=True)
    if options.image is None:
        fovea("scenes", "--count", 1, "--seed", 7, "--out", made, threads=options.threads)
        options.image = made / "000000.png"
    if options.only != "clip":
        compare_blip2(options, made)
    if options.only != "blip2":
        compare_clip(options, made)


def compare_blip2(options, made):
    if options.model is None:
        options.model = made / "blip2-opt-2.7b-bfloat16"
        if not options.model.exists():
            print("making a full-size checkpoint of random weights (7.5 GB)", file=sys.stderr)
            fovea("synthesize", "blip2-opt-2.7b", "--seed", 1, "--dtype", "bfloat16",
                  options.model, threads=options.threads)

    import torch
    import transformers
    first = bench(options.model, options.image, options, "--dtype", "bfloat16")
    ids, peaks = first["prompt_ids"], first["machine"]
    table, memory, bandwidths = {}, {}, []

    start = time.perf_counter()
    peer = Peer(options.model, options.image, torch.bfloat16, options)
    load = time.perf_counter() - start
    peer.measure(ids)  # warm
    variants = [("bfloat16", ["--dtype", "bfloat16"])]
    variants += [(kind, ["--dtype", "vision=bfloat16,qformer=bfloat16,projection=bfloat16,"
                         f"language={kind}"]) for kind in options.quantized]
    for turn in range(options.rounds):
        print(f"round {turn + 1} of {options.rounds}", file=sys.stderr)
        collect(table, "torch bfloat16", peer.measure(ids))
        for name, words in variants:
            found = bench(options.model, options.image, options, *words)
            collect(table, f"fovea {name}", found["seconds"])
            for key in ("float32_flops", "bfloat16_flops"):
                peaks[key] = max(peaks[key], found["machine"][key])
            bandwidths.append(found["machine"]["read_bandwidth"])
            collect(memory, f"fovea {name}", {key: found[key] for key in
                                              ("peak_bytes", "weight_bytes")})
            rate = found["bytes_read"]["next token"] / found["seconds"]["next token"]
            # Of what this very process measured: other machines on the same memory come and go.
            collect(table, f"fovea {name}", {
                "bytes a second": rate,
                "share of reading": rate / found["machine"]["read_bandwidth"]})
        output, wall, _ = fovea("-c", f"load({json.dumps(str(options.model))}); stages()",
                                threads=options.threads)
        collect(table, "fovea", {"start, load, stages()": wall})
    del peer
    gc.collect()
    if not options.skip_float32:
        peer = Peer(options.model, options.image, torch.float32, options, vision_only=True)
        peer.measure(ids)
        for turn in range(options.rounds):
            collect(table, "torch float32", peer.measure(ids))
            found = bench(options.model, options.image, options, "--dtype", "float32", "--only",
                          "vision")
            collect(table, "fovea float32", found["seconds"])

    middle = {name: {key: statistics.median(values) for key, values in row.items()}
              for name, row in table.items()}
    peaks["read_bandwidth"] = statistics.median(bandwidths)
    if options.json:
        options.json.write_text(json.dumps(
            {"machine": peaks, "measured": table, "memory": memory}, indent=1))
    report(middle, memory, peaks, load, torch.__version__, transformers.__version__)


def report(middle, memory, peaks, load, torch_version, transformers_version):
    print(f"torch {torch_version}, transformers {transformers_version}: loading took {load:.1f} s")
    print(f"this machine: {peaks['cpu']}, {peaks['threads']} threads, float32 "
          f"{peaks['float32_flops'] / 1e9:.0f} GFLOP/s, bfloat16 "
          f"{peaks['bfloat16_flops'] / 1e9:.0f} GFLOP/s, reads "
          f"{peaks['read_bandwidth'] / 1e9:.1f} GB/s\n")
    rows = []

    def row(what, ours, theirs, ratio, goal, met):
        rows.append([what, ours, theirs, ratio, goal, "yes" if met else "no"])

    def time_row(what, name, peer, key, goal):
        if name in middle and peer in middle and key in middle[name]:
            ours, theirs = middle[name][key], middle[peer][key]
            row(what, f"{ours:.3f} s", f"{theirs:.3f} s", f"{ours / theirs:.2f}", f"≤ {goal}",
                ours / theirs <= goal)

    start = middle["fovea"]["start, load, stages()"]
    row("process start to stages()", f"{start:.3f} s", "", "", "≤ 0.5 s", start <= 0.5)
    time_row("first token, bfloat16", "fovea bfloat16", "torch bfloat16", "first token", 0.5)
    for kind, goal, share in [("bfloat16", 1.4, 0.85), ("int8", 2.5, 0.80), ("int4", 4.2, 0.72)]:
        name = f"fovea {kind}"
        if name not in middle:
            continue
        ours, theirs = 1 / middle[name]["next token"], 1 / middle["torch bfloat16"]["next token"]
        row(f"tokens a second, {kind}", f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}",
            f"≥ {goal}", ours / theirs >= goal)
        of_peak = middle[name]["share of reading"]
        row(f"share of read bandwidth, {kind}", f"{middle[name]['bytes a second'] / 1e9:.1f} GB/s",
            "", f"{of_peak:.0%}", f"≥ {share:.0%}", of_peak >= share)
    time_row("vision tower, bfloat16", "fovea bfloat16", "torch bfloat16", "vision", 0.6)
    time_row("vision tower, float32", "fovea float32", "torch float32", "vision", 0.6)
    for kind in ("bfloat16", "int4"):
        if f"fovea {kind}" in memory:
            found = memory[f"fovea {kind}"]
            over = (max(found["peak_bytes"]) - max(found["weight_bytes"])) / 2**30
            row(f"peak memory over the weights, {kind}", f"{over:.2f} GiB", "", "", "≤ 0.4 GiB",
                over <= 0.4)
    keeping = middle["fovea bfloat16"].get("vision, keeping patterns")
    if keeping:
        ratio = keeping / middle["fovea bfloat16"]["vision"]
        row("keeping every attention map of the vision tower", f"{keeping:.3f} s", "",
            f"{ratio:.2f}", "≤ 1.25", ratio <= 1.25)
    print("| | Fovea | torch | ratio | goal | met |\n| --- | --- | --- | --- | --- | --- |")
    for cells in rows:
        print("| " + " | ".join(cells) + " |")


main()
