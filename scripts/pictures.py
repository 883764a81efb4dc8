"""Opens a picture as Fovea does, for the scripts that give pictures to transformers."""

import sys


def opened(path):
    """An RGB picture, turned upright by its EXIF, transparency dropped.

    So transformers' `load_image` opens a picture, which its pipelines and chat templates use.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        return ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    except UnidentifiedImageError:
        sys.exit(f"{path}: is no picture")
