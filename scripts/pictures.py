"""Opens a picture as Fovea does, for the scripts that give pictures to transformers."""

import sys


def opened(path):
    """An RGB picture, turned upright by its EXIF, transparent parts laid on white.

    So transformers 5's processors make a picture RGB; turning it is left to who opens it.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        image = ImageOps.exif_transpose(Image.open(path))
    except UnidentifiedImageError:
        sys.exit(f"{path}: is no picture")
    if "A" in image.getbands() or image.info.get("transparency") is not None:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return image.convert("RGB")
