#!/usr/bin/env python3
"""Makes Tests/Goldens/pictures: small pictures of every kind, and what the reference makes of them.

Needs Pillow, pillow_heif, NumPy and transformers.
The same versions give the same files.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
import pillow_heif
from PIL import Image, ImageDraw, ImageOps

pillow_heif.register_heif_opener()

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


def hand_made_bmp(path, width, height, bits, data, masks=b"", palette=b"", compression=0, header=b""):
    """A bitmap of a kind that Pillow does not write; `header` goes on after its first 40 bytes."""
    head = struct.pack("<IiiHHIIiiII", 40 + len(header), width, height, 1, bits, compression, len(data), 0, 0, 0, 0)
    start = 14 + len(head) + len(header) + len(masks) + len(palette)
    body = head + header + masks + palette + data
    path.write_bytes(b"BM" + struct.pack("<IHHI", 14 + len(body), 0, 0, start) + body)


def hand_made_tiff(path, samples, bits, photometric, extra=None, planar=1, tile=None, orientation=1):
    """An unpacked TIFF of a kind that Pillow does not write; samples are [y, x, channels]."""
    height, width, channels = samples.shape
    samples = samples.astype(f"<u{bits // 8}")
    planes = [samples] if planar == 1 else [samples[..., i : i + 1] for i in range(channels)]
    if tile:
        pad = ((0, -height % tile), (0, -width % tile), (0, 0))
        planes = [np.pad(plane, pad) for plane in planes]
        pieces = [
            plane[y : y + tile, x : x + tile].tobytes()
            for plane in planes
            for y in range(0, plane.shape[0], tile)
            for x in range(0, plane.shape[1], tile)
        ]
    else:
        pieces = [plane.tobytes() for plane in planes]
    data, places = b"", []

    def put(piece):
        nonlocal data
        place = 8 + len(data)
        data += piece + b"\0" * (len(piece) % 2)
        return place

    places = [put(piece) for piece in pieces]
    entries = []

    def tag(number, kind, *values):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        packed = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", put(packed))
        entries.append((number, struct.pack("<HHI", number, kind, len(values)) + packed))

    tag(256, 4, width), tag(257, 4, height), tag(258, 3, *[bits] * channels), tag(259, 3, 1)
    tag(262, 3, photometric), tag(274, 3, orientation), tag(277, 3, channels), tag(284, 3, planar)
    if tile:
        tag(322, 4, tile), tag(323, 4, tile), tag(324, 4, *places), tag(325, 4, *map(len, pieces))
    else:
        tag(273, 4, *places), tag(278, 4, height), tag(279, 4, *map(len, pieces))
    if extra is not None:
        tag(338, 3, extra)
    directory = struct.pack("<H", len(entries)) + b"".join(entry for _, entry in sorted(entries))
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + bytes(4))


def other_formats():
    """WebP, GIF, BMP, TIFF, AVIF, HEIC and JPEG 2000, from a smaller scene and its own chance."""
    global random
    random = np.random.default_rng(20261)
    width, height = 27, 18
    rgb = scene(width, height)
    clear = rgb.copy()
    clear.putalpha(Image.fromarray(random.integers(0, 256, (height, width)).astype(np.uint8)))
    turned = Image.Exif()
    turned[0x0112] = 6

    def noise(top, channels):
        return random.integers(0, top, (height, width, channels))

    rgb.save(FOLDER / "lossy.webp", quality=60)
    clear.save(FOLDER / "lossy-alpha.webp", quality=60)
    clear.save(FOLDER / "lossless-alpha.webp", lossless=True)
    rgb.save(FOLDER / "exif6.webp", lossless=True, exif=turned.tobytes())
    frames = [scene(width, height) for _ in range(2)]
    rgb.save(FOLDER / "animated.webp", save_all=True, append_images=frames, duration=40, lossless=True)

    rgb.quantize(60).save(FOLDER / "palette.gif")
    rgb.quantize(12).save(FOLDER / "transparent.gif", transparency=2)
    rgb.convert("L").save(FOLDER / "grey.gif")
    rgb.save(FOLDER / "animated.gif", save_all=True, append_images=frames)
    whole = (FOLDER / "palette.gif").read_bytes()
    place = whole.index(b",", 13 + 3 * 64)
    # The picture off the corner of a larger screen.
    (FOLDER / "offset.gif").write_bytes(
        whole[:6] + struct.pack("<HH", width + 9, height + 5) + whole[10 : place + 1]
        + struct.pack("<HH", 4, 3) + whole[place + 5 :])

    rgb.save(FOLDER / "rgb.bmp")
    rgb.convert("1").save(FOLDER / "onebit.bmp")
    rgb.quantize(9).save(FOLDER / "palette.bmp")
    row16, row32 = (width * 16 + 31) // 32 * 4, width * 4
    random_bytes = lambda count: random.integers(0, 256, count).astype(np.uint8).tobytes()
    hand_made_bmp(FOLDER / "rgb555.bmp", width, height, 16, random_bytes(row16 * height))
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    hand_made_bmp(FOLDER / "rgb565.bmp", width, -height, 16, random_bytes(row16 * height), masks, compression=3)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000) + bytes(52)
    hand_made_bmp(FOLDER / "alpha.bmp", width, height, 32, random_bytes(row32 * height), header=masks, compression=3)
    runs = b"".join(
        bytes([5, 1 + y, 0, 4, 9, 8, 7, 6, width - 9, 20, 0, 0]) for y in range(height - 2)
    ) + bytes([3, 40, 0, 2, width - 4, 1, 1, 2, 0, 1])
    hand_made_bmp(FOLDER / "runs.bmp", width, height, 8, runs, palette=random_bytes(1024), compression=1)

    rgb.save(FOLDER / "plain.tif")
    for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd"):
        rgb.save(FOLDER / f"{kind}.tif", compression=kind)
    rgb.convert("1").save(FOLDER / "fax.tif", compression="group4")
    rgb.convert("CMYK").save(FOLDER / "cmyk.tif", compression="tiff_lzw")
    rgb.quantize(30).save(FOLDER / "palette.tif")
    clear.save(FOLDER / "alpha.tif", compression="tiff_lzw")
    clear.convert("LA").save(FOLDER / "greyalpha.tif")
    Image.fromarray(noise(600, 1)[..., 0].astype(np.uint16)).save(FOLDER / "grey16.tif")
    Image.fromarray((noise(400, 1)[..., 0] - 50.5).astype(np.float32)).save(FOLDER / "float.tif")
    hand_made_tiff(FOLDER / "rgb16.tif", noise(65536, 3), 16, 2)
    hand_made_tiff(FOLDER / "planar.tif", noise(256, 3), 8, 2, planar=2)
    hand_made_tiff(FOLDER / "tiled.tif", noise(256, 3), 8, 2, tile=16)
    hand_made_tiff(FOLDER / "premultiplied.tif", noise(256, 4), 8, 2, extra=1)
    hand_made_tiff(FOLDER / "exif6.tif", noise(256, 3), 8, 2, orientation=6)

    rgb.save(FOLDER / "chroma420.avif", quality=80, speed=10)
    rgb.save(FOLDER / "limited444.avif", quality=50, speed=10, subsampling="4:4:4", range="limited")
    clear.save(FOLDER / "alpha.avif", quality=80, speed=10)
    rgb.save(FOLDER / "exif6.avif", quality=80, speed=10, exif=turned.tobytes())
    even = scene(28, 18)
    even.save(FOLDER / "chroma420.heic", format="HEIF", quality=80, chroma=420)
    even.save(FOLDER / "exif6.heic", format="HEIF", quality=80, chroma=420, exif=turned.tobytes())

    samples = random.integers(-100, 500, (height, width))
    Image.fromarray(samples.astype(np.int32)).save(FOLDER / "integer.tif")
    rgb.convert("YCbCr").save(FOLDER / "chroma.tif")
    rgb.convert("YCbCr").save(FOLDER / "chroma-packed.tif", compression="tiff_lzw")
    rgb.convert("L").save(FOLDER / "grey.bmp")
    # With black ink, which Pillow's own conversion never makes.
    inks = Image.fromarray(noise(256, 4).astype(np.uint8), "CMYK")
    inks.save(FOLDER / "inks.tif")
    inks.save(FOLDER / "inks.jpg", quality=95)

    rgb.save(FOLDER / "rgb.jp2")
    clear.save(FOLDER / "alpha.jp2")
    rgb.convert("L").save(FOLDER / "grey.j2k", irreversible=True)


def decoded():
    from transformers.image_transforms import convert_to_rgb

    entries = []
    kinds = "png jpg webp gif bmp tif avif heic jp2 j2k".split()
    for path in [path for kind in kinds for path in sorted(FOLDER.glob(f"*.{kind}"))]:
        picture = Image.open(path)
        entry = {"file": path.name, "mode": picture.mode, "rgb": f"{path.name}.rgb.npy"}
        stored = picture.convert("RGB")
        if path.name == "exif6.tif":
            # Pillow turns this format while it loads it.
            stored = stored.transpose(Image.Transpose.ROTATE_90)
        np.save(FOLDER / entry["rgb"], np.asarray(stored))
        if path.name.startswith("exif"):
            entry["upright"] = f"{path.name}.upright.npy"
            upright = ImageOps.exif_transpose(picture).convert("RGB")
            np.save(FOLDER / entry["upright"], np.asarray(upright))
        if "A" in picture.getbands() or picture.info.get("transparency") is not None:
            entry["white"] = f"{path.name}.white.npy"
            np.save(FOLDER / entry["white"], convert_to_rgb(picture, return_numpy=True))
        if path.suffix == ".heic":
            # Of another version of libheif.
            entry["tolerance"] = 1
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
    other_formats()
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
