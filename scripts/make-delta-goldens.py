#!/usr/bin/env python3
"""Makes Tests/Goldens/deltas: a tiny random LLaMA, deltas to it with a larger vocabulary, both as
safetensors and as shards of pickles with rotary frequencies in them, and the sum that torch makes of the
two, as FastChat's apply_delta does: in float16, to which a float32 sum rounds once.

Needs torch and transformers (made with torch 2.15 on CPU and transformers 5.24); tests do not.
    python scripts/make-delta-goldens.py
"""
import importlib.util
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("goldens", HERE / "make-goldens.py")
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)

SIZES = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=4, head_dim=6, max_position_embeddings=96, rms_norm_eps=1e-6,
             bos_token_id=0, eos_token_id=2, pad_token_id=1, tie_word_embeddings=False)


def main():
    root = goldens.ROOT / "deltas"
    states = {}
    for number, (name, rows) in enumerate([("base", 320), ("delta", 336)]):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        config = LlamaConfig(**SIZES, vocab_size=rows)
        config.architectures = ["LlamaForCausalLM"]
        config.dtype = torch.float16
        model = LlamaForCausalLM._from_config(config, attn_implementation="eager").float()
        goldens.randomise(model, torch.Generator().manual_seed(goldens.SEED + 20 + number))
        states[name] = {k: v.half().contiguous() for k, v in model.state_dict().items()}
        if name == "delta":
            goldens.byte_level_tokenizer(folder)
        settings = config.to_diff_dict() | SIZES | dict(model_type="llama", vocab_size=rows)
        settings.pop("rope_parameters", None)
        (folder / "config.json").write_text(json.dumps(
            {k: v for k, v in settings.items() if k != "dtype"} | dict(torch_dtype="float16", rope_theta=10000.0),
            indent=2, default=str) + "\n")
        save_file(states[name], folder / "model.safetensors", metadata={"format": "pt"})
        other = root / f"{name}-bin"
        shutil.rmtree(other, ignore_errors=True)
        other.mkdir()
        for file in folder.glob("*.json"):
            shutil.copy(file, other)
        state = states[name] | {
            f"model.layers.{i}.self_attn.rotary_emb.inv_freq": 10000 ** (-torch.arange(0, 6, 2).float() / 6)
            for i in range(2)}
        names = sorted(state)
        shards = [names[:7], names[7:]]
        index = {"metadata": {"total_size": sum(v.numel() * v.element_size() for v in state.values())},
                 "weight_map": {}}
        for part, keys in enumerate(shards):
            file = f"pytorch_model-{part + 1:05}-of-00002.bin"
            torch.save({k: state[k] for k in keys}, other / file)
            index["weight_map"] |= {k: file for k in keys}
        (other / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")
    # FastChat's apply_delta, the table grown as its `smart_tokenizer_and_embedding_resize` has room for.
    total = {}
    for name, delta in states["delta"].items():
        base = states["base"][name]
        total[name] = delta.clone()
        total[name][:base.shape[0]] += base
    save_file(total, root / "sum.safetensors", metadata={"format": "pt"})


if __name__ == "__main__":
    main()
