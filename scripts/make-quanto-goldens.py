#!/usr/bin/env python3
"""Makes Tests/Goldens/quanto: tiny checkpoints of Tests/Goldens that optimum-quanto itself made int8 and wrote,
each a whole folder with its map, and what the reference computes with the weights that they stand for.

    blip2   every layer, also the convolution and the head, in float32
    ziya    every layer but the head, in float16, with the map's older name

Run scripts/make-goldens.py and scripts/make-ziya-goldens.py before. Needs torch, transformers and
optimum-quanto (made with torch 2.15 on CPU, transformers 5.24 and optimum-quanto 0.2.7); tests do not.
    python scripts/make-quanto-goldens.py

With a folder that Fovea wrote, it tells whether optimum-quanto reads it and what it then computes:
    python scripts/make-quanto-goldens.py check FOLDER
"""
import importlib.util
import json
import pathlib
import shutil
import sys

import torch
from optimum.quanto import QuantizedModelForCausalLM, qint8, requantize
from optimum.quanto.models.transformers_models import QuantizedTransformersModel
from safetensors.torch import load_file
from transformers import AutoConfig, Blip2Config, Blip2ForConditionalGeneration, LlamaForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent / "Tests" / "Goldens"


def dequantized(folder, kind, config):
    """The model in float32 with the weights that the file's integers stand for."""
    state = load_file(folder / "model.safetensors")
    plain = {}
    for key, value in state.items():
        if key.endswith("._data"):
            name = key.removesuffix("._data")
            plain[name] = value.float() * state[name + "._scale"].float()
        elif not key.endswith(("._scale", "input_scale", "output_scale")):
            plain[key] = value.float()
    model = kind._from_config(config, attn_implementation="eager").eval().float()
    # A head that was made int8 is no longer the table.
    model.config.tie_word_embeddings = False
    heads = [key for key in plain if key.endswith("lm_head.weight")]
    for key in heads:
        parent = model.get_submodule(key.removesuffix(".lm_head.weight")) if "." in key[:-len("lm_head.weight")] \
            else model
        parent.lm_head.weight = torch.nn.Parameter(plain[key].clone())
    missing, unexpected = model.load_state_dict(plain, strict=False)
    assert not unexpected and all("lm_head" in key for key in missing), (missing, unexpected)
    return model


def logits(model, name):
    expected = json.loads((ROOT / name / "expected.json").read_text())
    case = expected["cases"][0] if "cases" in expected else expected
    trace = load_file(ROOT / name / "trace.safetensors")
    ids = torch.tensor([case["input_ids"]])
    dtype = next(model.parameters()).dtype
    inputs = dict(input_ids=ids, attention_mask=torch.ones_like(ids))
    if "inputs.pixel_values" in trace:
        inputs["pixel_values"] = trace["inputs.pixel_values"].to(dtype)
    with torch.no_grad():
        return model(**inputs).logits[0, -1].float()


def make(name, dtype, older, exclude):
    folder = ROOT / "quanto" / name
    shutil.rmtree(folder, ignore_errors=True)
    model = Blip2ForConditionalGeneration.from_pretrained(ROOT / name, dtype=dtype).eval()
    quantized = QuantizedTransformersModel.quantize(model, weights=qint8, exclude=exclude)
    quantized.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    for file in (ROOT / name).glob("*.json"):
        if not (folder / file.name).exists() and file.name != "expected.json":
            shutil.copy(file, folder)
    if older:
        (folder / "quanto_qmap.json").rename(folder / "quantization_map.json")
    plain = dequantized(folder, Blip2ForConditionalGeneration, Blip2Config.from_pretrained(folder))
    case = json.loads((ROOT / name / "expected.json").read_text())
    case = case.get("cases", [case])[0]
    (folder / "expected.json").write_text(json.dumps(dict(
        prompt=case.get("prompt") or case["text"], logits=logits(plain, name).tolist()), indent=1) + "\n")
    print(name, len(json.loads(next(folder.glob("*map.json")).read_text())), "layers")


def check(folder):
    """Reads a folder as optimum-quanto does, and compares it with the weights that its integers stand for."""
    config = AutoConfig.from_pretrained(folder)
    name = "llama" if config.model_type == "llama" else \
        "ziya" if config.text_config.model_type == "llama" else "blip2"
    kind = LlamaForCausalLM if config.model_type == "llama" else Blip2ForConditionalGeneration
    if kind is LlamaForCausalLM:
        model = QuantizedModelForCausalLM.from_pretrained(str(folder))
    else:
        model = kind._from_config(config).eval()
        requantize(model, load_file(folder / "model.safetensors"),
                   json.loads((folder / "quanto_qmap.json").read_text()), device=torch.device("cpu"))
    count = sum(1 for m in model.modules() if type(m).__name__ in ("QLinear", "QConv2d"))
    plain = dequantized(folder, kind, config)
    found, expected = logits(model, name), logits(plain, name)
    difference = ((found - expected).abs().max() / expected.abs().max()).item()
    print(f"{folder}: {count} quantized layers in {next(model.parameters()).dtype}, logits differ by {difference:.2e}")
    assert difference < (1e-5 if next(model.parameters()).dtype == torch.float32 else 2e-2)


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        for folder in sys.argv[2:]:
            check(pathlib.Path(folder))
    else:
        make("blip2", torch.float32, older=False, exclude=None)
        make("ziya", torch.float16, older=True, exclude="*lm_head*")
