#!/usr/bin/env python3
"""Makes Tests/Goldens/pictures: small pictures of every kind, and what the reference makes of them.

Needs Pillow, NumPy and transformers (no torchvision, so that the Pillow path runs).
The same versions give the same files.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageDraw, ImageOps

FOLDER = Path(__file__).resolve().parent.parent / "Tests" / "Goldens" / "pictures"
WIDTH, HEIGHT = 37, 26
random = np.random.default_rng(20260)


def scene(width=WIDTH, height=HEIGHT):
    """Slopes, hard edges and some noise: what every codec and filter treats differently."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 255 // width, y * 255 // height, (x * 7 + y * 13) % 256]
    picture = Image.fromarray(np.stack(planes, -1).astype(np.uint8), "RGB")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((4, 3, width // 2, height - 5), fill=(250, 220, 20))
    draw.rectangle((width // 2, 6, width - 5, height // 2), fill=(10, 30, 200))
    noise = random.integers(-12, 13, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(picture).astype(int) + noise, 0, 255).astype(np.uint8))


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def packed(samples, depth):
    """Rows of samples [y, x * channels] as PNG stores them, each with filter 0."""
    rows = b""
    for row in samples:
        if depth == 16:
            body = row.astype(">u2").tobytes()
        else:
            bits = ((row[:, None] >> np.arange(depth)[::-1]) & 1).astype(np.uint8).ravel()
            body = np.packbits(bits).tobytes()
        rows += b"\0" + body
    return rows


def hand_made_png(path, samples, depth, kind, extra=b"", interlaced=False):
    """A PNG of a kind that Pillow does not write; samples are [y, x, channels]."""
    height, width, channels = samples.shape
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
        passes.append((0, 1, 1, 2))
        parts = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in passes]
        parts = [part for part in parts if part.size]
    else:
        parts = [samples]
    data = b"".join(packed(part.reshape(part.shape[0], -1), depth) for part in parts)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
        + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def pictures():
    rgb = scene()
    rgb.save(FOLDER / "rgb.png")
    rgb.convert("L").save(FOLDER / "grey.png")
    rgb.convert("1").save(FOLDER / "onebit.png")
    rgb.quantize(17).save(FOLDER / "palette.png", bits=8)
    rgb.quantize(4).save(FOLDER / "palette2bit.png", bits=2)
    rgb.quantize(16).save(FOLDER / "palette-transparent.png", transparency=3)
    alpha = Image.fromarray(random.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8))
    with_alpha = rgb.copy()
    with_alpha.putalpha(alpha)
    with_alpha.save(FOLDER / "rgba.png")
    with_alpha.convert("LA").save(FOLDER / "greyalpha.png")
    rgb.save(FOLDER / "colour-key.png", transparency=rgb.getpixel((0, 0)))

    def noise(depth, channels):
        return random.integers(0, 2**depth, (HEIGHT, WIDTH, channels))

    hand_made_png(FOLDER / "grey2.png", noise(2, 1), 2, 0)
    hand_made_png(FOLDER / "grey4.png", noise(4, 1), 4, 0)
    dark = noise(16, 1)
    dark[::2] %= 300
    hand_made_png(FOLDER / "grey16.png", dark, 16, 0)
    hand_made_png(FOLDER / "rgb16.png", noise(16, 3), 16, 2)
    hand_made_png(FOLDER / "rgba16.png", noise(16, 4), 16, 6)
    hand_made_png(FOLDER / "greyalpha16.png", noise(16, 2), 16, 4)
    hand_made_png(FOLDER / "interlaced.png", np.asarray(rgb), 8, 2, interlaced=True)
    hand_made_png(FOLDER / "interlaced1.png", noise(1, 1), 1, 0, interlaced=True)
    three = chunk(b"PLTE", bytes([200, 30, 40, 10, 220, 60, 50, 70, 240]))
    hand_made_png(FOLDER / "palette-short.png", noise(4, 1), 4, 3, three)

    smooth = scene()
    for name, options in {
        "q95-444": dict(quality=95, subsampling=0),
        "q75-422": dict(quality=75, subsampling=1),
        "q30-420": dict(quality=30, subsampling=2),
        "progressive": dict(quality=80, progressive=True),
        "restart": dict(quality=80, restart_marker_blocks=2),
    }.items():
        smooth.save(FOLDER / f"{name}.jpg", **options)
    smooth.convert("L").save(FOLDER / "grey.jpg")
    smooth.convert("CMYK").save(FOLDER / "cmyk.jpg")
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        smooth.crop((0, 0, 19, 13)).save(FOLDER / f"exif{orientation}.jpg", exif=exif)
    entries = struct.pack(">HHHLHH", 1, 0x0100, 3, 1, 9, 0)
    entries = struct.pack(">H", 2) + entries[2:] + struct.pack(">HHLL", 0x0112, 4, 1, 5)
    block = b"Exif\0\0MM\0*" + struct.pack(">L", 8) + entries + bytes(4)
    smooth.crop((0, 0, 19, 13)).save(FOLDER / "exif-big-endian5.jpg", exif=block)
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
    smooth.crop((0, 0, 19, 13)).save(FOLDER / "exif-xmp8.jpg", xmp=xmp)
    exif = Image.Exif()
    exif[0x0112] = 6
    rgb.crop((0, 0, 19, 13)).save(FOLDER / "exif6.png", exif=exif)


def decoded():
    entries = []
    for path in sorted(FOLDER.glob("*.png")) + sorted(FOLDER.glob("*.jpg")):
        picture = Image.open(path)
        entry = {"file": path.name, "mode": picture.mode, "rgb": f"{path.name}.rgb.npy"}
        np.save(FOLDER / entry["rgb"], np.asarray(picture.convert("RGB")))
        if path.name.startswith("exif"):
            entry["upright"] = f"{path.name}.upright.npy"
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            np.save(FOLDER / entry["upright"], np.asarray(upright))
        entries.append(entry)
    return entries


def resized():
    filters = {
        "nearest": Image.Resampling.NEAREST,
        "bilinear": Image.Resampling.BILINEAR,
        "bicubic": Image.Resampling.BICUBIC,
        "lanczos": Image.Resampling.LANCZOS,
    }
    picture = Image.open(FOLDER / "rgb.png")
    entries = []
    for name, code in filters.items():
        for width, height in [(28, 28), (1, 1), (37, 9), (11, 26), (60, 41), (5, 50), (3, 2), (60, 10), (33, 17), (33, 18)]:
            entry = {"from": "rgb.png", "filter": name, "width": width, "height": height}
            entry["expected"] = f"resize-{name}-{width}x{height}.npy"
            np.save(FOLDER / entry["expected"], np.asarray(picture.resize((width, height), code)))
            entries.append(entry)
    return entries


def preprocessed():
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    square = {"height": 21, "width": 21}
    cases = {
        "blip": (BlipImageProcessorPil, dict(size=square)),
        "clip": (CLIPImageProcessorPil, dict(size={"shortest_edge": 14}, crop_size={"height": 14, "width": 14})),
        "vit": (ViTImageProcessorPil, dict(size={"height": 14, "width": 20})),
        "too-small": (CLIPImageProcessorPil, dict(do_resize=False, crop_size={"height": 33, "width": 30})),
        "no-normalise": (BlipImageProcessorPil, dict(size=square, do_normalize=False)),
        "no-rescale": (BlipImageProcessorPil, dict(size=square, do_rescale=False)),
        "bytes": (BlipImageProcessorPil, dict(size=square, do_rescale=False, do_normalize=False)),
    }
    entries = []
    for name, (processor, options) in cases.items():
        made = processor(**options)
        picture = Image.open(FOLDER / "rgb.png").convert("RGB")
        values = np.asarray(made(picture, return_tensors="np")["pixel_values"][0]).astype(np.float32)
        entry = {"name": name, "file": f"preprocess-{name}.npy", "from": "rgb.png"}
        # As a published preprocessor_config.json would say it.
        keys = "size crop_size do_resize do_center_crop do_rescale do_normalize resample"
        keys = (keys + " rescale_factor image_mean image_std").split()
        settings = made.to_dict()
        entry["settings"] = {key: settings[key] for key in keys if settings.get(key) is not None}
        np.save(FOLDER / entry["file"], np.ascontiguousarray(values))
        entries.append(entry)
    return entries


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    pictures()
    import transformers

    expected = {
        "pillow": PIL.__version__,
        "transformers": transformers.__version__,
        "decode": decoded(),
        "resize": resized(),
        "preprocess": preprocessed(),
    }
    (FOLDER / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
