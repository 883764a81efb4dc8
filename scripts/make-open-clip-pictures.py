#!/usr/bin/env python3
"""Makes Tests/Goldens/clip-open/pictures.npy: what OpenCLIP's own transform makes of picture files.

Every file of Tests/Goldens/pictures as Image.open gives it, to 16 x 16 pixels, before they become a
tensor; pictures.json lists the files with their modes. Needs open_clip 3.3, torch and Pillow 13.
"""

import json
import pathlib

import numpy as np
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

GOLDENS = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Goldens"
whole = image_transform_v2(PreprocessCfg(size=16), is_train=False)
# Without ToTensor and Normalize.
steps = whole.transforms[:-2]
# HEIC is of another version of libheif, and what a camera turned is another test's.
skipped = (".heic", ".json", ".npy")
files, pictures = [], []
for path in sorted((GOLDENS / "pictures").iterdir()):
    if path.suffix in skipped or path.name.startswith("exif"):
        continue
    picture = Image.open(path)
    files.append({"file": path.name, "mode": picture.mode})
    for step in steps:
        picture = step(picture)
    pictures.append(np.asarray(picture))
np.save(GOLDENS / "clip-open" / "pictures.npy", np.stack(pictures))
text = ",\n ".join(json.dumps(file) for file in files)
(GOLDENS / "clip-open" / "pictures.json").write_text(f"[\n {text}\n]\n")
