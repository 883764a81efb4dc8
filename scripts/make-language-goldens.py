#!/usr/bin/env python3
"""Makes Tests/Goldens/llama and mistral: tiny random language models in the published layout, run through
the reference implementation in float32 on weights rounded to float16, with the output of every module
as a forward hook sees it.

Between them they have what such models differ in: biases and none, a tied head and one of its own,
shared key heads, heads wider and narrower than the width would give, a window, another rotary base.

Needs torch and transformers (made with torch 2.15 on CPU and transformers 5.24); tests do not.
    python scripts/make-language-goldens.py
"""
import importlib.util
import json
import pathlib

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("goldens", HERE / "make-goldens.py")
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)

PROMPT = "Question: how many shapes are there in the picture? Answer:"
COMMON = dict(vocab_size=331, num_hidden_layers=2, hidden_act="silu", bos_token_id=2,
              eos_token_id=2, pad_token_id=1, initializer_range=0.02)


def make(name, model, tokenizer_folder):
    folder = tokenizer_folder
    generator = torch.Generator().manual_seed(goldens.SEED)
    model = model.eval()
    goldens.randomise(model, generator)
    model.tie_weights()
    tokenizer = goldens.byte_level_tokenizer(folder)
    ids = torch.tensor([tokenizer.encode(PROMPT).ids])
    trace, _ = goldens.record(model, lambda: model(ids))
    trace = {k: v.clone() for k, v in trace.items()}
    trace["inputs.input_ids"] = ids
    with torch.no_grad():
        greedy = model.generate(ids, max_new_tokens=16, min_new_tokens=16, do_sample=False)
        beams = model.generate(ids, max_new_tokens=8, num_beams=3, do_sample=False)
    model.config.dtype = model.dtype
    half = model.half()
    half.save_pretrained(folder)
    save_file(trace, folder / "trace.safetensors",
              metadata={"seed": str(goldens.SEED), "torch": torch.__version__})
    (folder / "expected.json").write_text(json.dumps({
        "prompt": PROMPT, "input_ids": ids[0].tolist(), "greedy": greedy[0, ids.shape[1]:].tolist(),
        "beams": beams[0, ids.shape[1]:].tolist(),
    }, indent=1) + "\n")
    print(name, ids.shape[1], "tokens", len(trace), "tensors")


def folder(name):
    path = goldens.ROOT / name
    path.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    make("llama", LlamaForCausalLM._from_config(LlamaConfig(
        **COMMON, hidden_size=36, intermediate_size=52, num_attention_heads=4, head_dim=10,
        num_key_value_heads=4, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
        max_position_embeddings=96, rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0}),
        attn_implementation="eager"), folder("llama"))
    make("mistral", MistralForCausalLM._from_config(MistralConfig(
        **COMMON, hidden_size=40, intermediate_size=64, num_attention_heads=6, head_dim=8,
        num_key_value_heads=2, sliding_window=6, tie_word_embeddings=False,
        max_position_embeddings=96, rms_norm_eps=1e-5), attn_implementation="eager"),
        folder("mistral"))
