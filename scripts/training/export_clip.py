"""Writes the small CLIP in the published layout, float16, and measures it with transformers' class.

    export_clip.py FOLDER CHECKPOINT OUT
"""
import json, os, shutil, sys
import numpy as np, torch
from PIL import Image
from transformers import CLIPModel, CLIPTokenizer
from sayings import NAMES, whole
from train_clip import held_out, make
from worlds import DEVIATION, INPUT, MEAN, pixel_values

folder, checkpoint, out = sys.argv[1:4]
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 1)))
_, network = make(folder)
network.load_state_dict(torch.load(checkpoint)["network"])
os.makedirs(out, exist_ok=True)
network.clip.half().save_pretrained(out)
with open(os.path.join(out, "preprocessor_config.json"), "w") as file:
    json.dump(dict(
        image_processor_type="CLIPImageProcessor", do_convert_rgb=True, do_resize=True,
        size=dict(shortest_edge=INPUT), resample=3, do_center_crop=True,
        crop_size=dict(height=INPUT, width=INPUT), do_rescale=True, rescale_factor=1 / 255,
        do_normalize=True, image_mean=[round(float(v), 8) for v in MEAN],
        image_std=[round(float(v), 8) for v in DEVIATION]), file, indent=2)
for name in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"):
    shutil.copy(os.path.join(folder, "tokenizer", name), out)
print(sum(os.path.getsize(os.path.join(out, n)) for n in os.listdir(out)), "bytes")

model = CLIPModel.from_pretrained(out, dtype=torch.float32).eval()
tokenizer = CLIPTokenizer.from_pretrained(out)
scenes, pictures = held_out()


def read(texts):
    rows = []
    for i in range(0, len(texts), 200):
        inputs = tokenizer(texts[i: i + 200], padding=True, return_tensors="pt")
        found = model.get_text_features(**inputs)
        rows.append(getattr(found, "pooler_output", found))
    return torch.nn.functional.normalize(torch.cat(rows), dim=-1)


with torch.no_grad():
    rows = []
    for i in range(0, len(pictures), 100):
        found = model.get_image_features(pixel_values=pixel_values(pictures[i: i + 100]))
        rows.append(getattr(found, "pooler_output", found))
    seen = torch.nn.functional.normalize(torch.cat(rows), dim=-1)
    for form in ("caption", "placed"):
        lines = [whole(o)[form] for o in scenes[:1000]]
        alone = torch.tensor([lines.count(x) == 1 for x in lines])
        likeness = read(lines) @ seen[:1000].t()
        own = torch.arange(1000)
        to_picture = (likeness.argmax(1) == own)[alone].float().mean()
        to_text = np.mean([lines[b] == lines[i] for i, b in enumerate(likeness.argmax(0).tolist())
                           if alone[i]])
        print(f"{form}: {int(alone.sum())} of 1000 fit one picture; R@1 text to picture "
              f"{to_picture:.3f}, picture to text {to_text:.3f}")
    told = (seen[1000:] @ read(NAMES).t()).argmax(1).tolist()
    right = np.mean([NAMES[t] == f"a {o[0]['color']} {o[0]['shape']}"
                     for t, o in zip(told, scenes[1000:])])
    print(f"zero-shot over {len(NAMES)} names, {len(told)} scenes of one object: {right:.4f}")
