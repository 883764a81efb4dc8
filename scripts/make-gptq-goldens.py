#!/usr/bin/env python3
"""Makes Tests/Goldens/gptq/moved.safetensors: weights of the model that ships as GPTQ's own tool
makes them, from what passes there when the model answers questions about scenes.

Keys are VARIANT.LAYER.TENSOR; in `neighbours` groups are made of neighbouring inputs, in `sorted` of
inputs that vary alike (desc_act). The second layer has inputs that never vary: they become zeros.

Needs torch, transformers and gptqmodel (made with torch 2.13 on CPU, transformers 5.23, gptqmodel
7.7 without its other requirements); tests do not.
    scripts/fovea scenes --count 64 --seed 900 --out scenes
    python scripts/make-gptq-goldens.py scenes
"""
import json
import pathlib
import sys

import torch
from gptqmodel.nn_modules.qlinear.torch import TorchLinear
from gptqmodel.quantization.config import FORMAT, QuantizeConfig
from gptqmodel.quantization.gptq import GPTQ
from gptqmodel.utils.model import convert_gptq_v2_to_v1_format_module
from PIL import Image
from safetensors.torch import save_file
from transformers import Blip2ForConditionalGeneration, Blip2Processor

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "Sources/Models/Resources/Default"
PREFIX = "language_model.model.decoder.layers.0."
LAYERS = {"neighbours": ["self_attn.k_proj"], "sorted": ["self_attn.k_proj", "fc2"]}
TENSORS = ["qweight", "qzeros", "scales", "g_idx"]


def inputs_of(layers, scenes):
    """What goes into each layer while the model answers."""
    model = Blip2ForConditionalGeneration.from_pretrained(MODEL, dtype=torch.float32).eval()
    processor = Blip2Processor.from_pretrained(MODEL)
    found = {name: [] for name in layers}
    modules = {name: model.get_submodule(PREFIX + name) for name in layers}
    for name, module in modules.items():
        module.register_forward_hook(
            lambda _, given, __, name=name: found[name].append(given[0].flatten(0, -2)))
    for record in (scenes / "scenes.jsonl").read_text().splitlines():
        record = json.loads(record)
        picture = Image.open(scenes / record["image"]).convert("RGB")
        for question in record["questions"][:2]:
            text = f"Question: {question['text']} Answer:"
            model.generate(**processor(images=picture, text=text, return_tensors="pt"),
                           max_new_tokens=12)
    return modules, {name: torch.cat(parts) for name, parts in found.items()}


def main(scenes):
    torch.manual_seed(1)
    torch.set_grad_enabled(False)
    modules, inputs = inputs_of(sorted({n for names in LAYERS.values() for n in names}), scenes)
    tensors = {}
    for variant, names in LAYERS.items():
        config = QuantizeConfig(bits=4, group_size=64, desc_act=variant == "sorted", sym=False,
                                act_group_aware=False)
        for name in names:
            layer = torch.nn.Linear(modules[name].in_features, modules[name].out_features)
            layer.load_state_dict(modules[name].state_dict())
            task = GPTQ(layer, config)
            task.name = name
            task.quantizer.configure(perchannel=True)
            task.add_batch(inputs[name][None], layer(inputs[name][None]))
            weight, scale, zero, group = task.quantize()[:4]
            layer.weight.data = weight.float()
            packed = TorchLinear(
                bits=4, group_size=64, sym=False, desc_act=config.desc_act, bias=True,
                in_features=layer.in_features, out_features=layer.out_features,
                format=FORMAT.GPTQ_V2)
            packed.pack(layer, scale.cpu(), zero.cpu(), group.cpu())
            convert_gptq_v2_to_v1_format_module(packed, config)
            for tensor in TENSORS:
                tensors[f"{variant}.{name}.{tensor}"] = getattr(packed, tensor).contiguous().clone()
    folder = ROOT / "Tests/Goldens/gptq"
    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "moved.safetensors")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
