#!/usr/bin/env python3
"""Writes what goes into a transformers model and what every module gives to a safetensors file.

    scripts/dump-hf.py CHECKPOINT PICTURE OUT.safetensors [--prompt TEXT] [--text TEXT ...]
                       [--dtype float32] [--keep 'vision_model.*'] [--generate TOKENS]

Then `fovea compare CHECKPOINT OUT.safetensors --image PICTURE --prompt TEXT`, or at the prompt
`compare(run("picture.png", "text"), "OUT.safetensors")`, tells where Fovea and transformers part.

For a model that reads text alone PICTURE is -. For families that are not Fovea's own the processor of the
checkpoint makes the inputs; a prompt without the picture's token gets it in front.

Tensors are named by module path, attention probabilities PATH.probs, inputs inputs.NAME. Attention is
eager, so that there are probabilities. Of results as wide as the vocabulary only the last position is
kept. Needs torch, transformers, safetensors and Pillow.
"""
import argparse
import fnmatch
import json
import pathlib
import sys

from pictures import opened


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint", type=pathlib.Path, help="a folder in the published layout")
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--prompt", default="", help="what a model that writes reads after the picture")
    parser.add_argument("--text", action="append", default=[], help="a text that goes with the picture")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--keep", default="*", help="which names are kept; * stands for anything")
    parser.add_argument("--generate", type=int, default=0,
                        help="also write so many tokens, greedily, as generated_ids")
    options = parser.parse_args()
    for path in (options.checkpoint / "config.json", options.picture):
        if not path.is_file() and str(path) != "-":
            parser.error(f"{path}: no such file")
    if not options.out.parent.is_dir():
        parser.error(f"{options.out.parent}: no such folder")
    return options


def model_class(config):
    import transformers

    for name in config.architectures or []:
        if hasattr(transformers, name):
            return getattr(transformers, name)
    known = {"blip-2": "Blip2ForConditionalGeneration", "vit": "ViTForImageClassification",
             "clip": "CLIPModel"}
    return getattr(transformers, known.get(config.model_type, "AutoModel"))


def pixels(folder, picture):
    """By the processor that works with Pillow: the other one rounds differently."""
    from transformers import AutoImageProcessor

    try:
        processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    except (TypeError, ValueError):
        processor = AutoImageProcessor.from_pretrained(folder, use_fast=False)
    return processor(opened(picture), return_tensors="pt")["pixel_values"]


def other_inputs(options):
    """What a family that is not Fovea's own reads."""
    from transformers import AutoProcessor, AutoTokenizer

    try:
        if str(options.picture) == "-":
            tokenizer = AutoTokenizer.from_pretrained(options.checkpoint)
            return tokenizer(options.prompt, return_tensors="pt")
        processor = AutoProcessor.from_pretrained(options.checkpoint)
        if not hasattr(processor, "image_processor"):
            raise ValueError("its processor reads no pictures; give - for PICTURE")
        token = getattr(processor, "image_token", "<image>")
        token = getattr(token, "content", token)
        text = options.prompt if token in options.prompt else f"{token}{options.prompt}"
        return processor(images=opened(options.picture), text=text, return_tensors="pt")
    except (ImportError, OSError, TypeError, ValueError) as error:
        sys.exit(f"{options.checkpoint}: {error}")


def token_inputs(folder, config, options):
    import torch
    from transformers import AutoTokenizer

    if config.model_type == "vit":
        return {}
    tokenizer = AutoTokenizer.from_pretrained(folder)
    if config.model_type == "blip-2" and not options.text:
        ids = tokenizer(options.prompt).input_ids
        begin = config.text_config.bos_token_id
        if not ids or ids[0] != begin:
            ids = [begin] + ids
        image = getattr(config, "image_token_index", None)
        if image is not None:
            ids = [image] * config.num_query_tokens + ids
        ids = torch.tensor([ids])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    texts = options.text or [options.prompt]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    return {"input_ids": batch["input_ids"], "attention_mask": batch["attention_mask"]}


def tensor_of(output):
    """The tensor that a module's result is about."""
    import torch

    if torch.is_tensor(output):
        return output
    if isinstance(output, (tuple, list)):
        return next((t for t in output if torch.is_tensor(t)), None)
    for name in ("last_hidden_state", "logits"):
        if torch.is_tensor(getattr(output, name, None)):
            return getattr(output, name)
    return None


def main():
    options = arguments()
    import torch
    import transformers
    from safetensors.torch import save_file

    config = transformers.AutoConfig.from_pretrained(options.checkpoint)
    dtype = getattr(torch, options.dtype)
    model = model_class(config).from_pretrained(
        options.checkpoint, dtype=dtype, attn_implementation="eager").eval()
    vocabulary = getattr(getattr(config, "text_config", None), "vocab_size", None)
    kept = {}

    def keep(name, tensor):
        if tensor is None or not fnmatch.fnmatchcase(name, options.keep) or name in kept:
            return
        if vocabulary and tensor.ndim == 3 and tensor.shape[-1] == vocabulary:
            tensor = tensor[:, -1:]
        kept[name] = tensor.detach().contiguous().clone()

    def hook(name):
        def after(_, __, output):
            keep(name, tensor_of(output))
            is_attention = name.endswith(("attn", "attention")) and isinstance(output, tuple)
            if is_attention and len(output) > 1 and torch.is_tensor(output[1]):
                keep(f"{name}.probs", output[1])
        return after

    hooks = [module.register_forward_hook(hook(name)) for name, module in model.named_modules()
             if name]
    if config.model_type in ("blip-2", "vit", "clip"):
        inputs = {"pixel_values": pixels(options.checkpoint, options.picture)}
        inputs |= token_inputs(options.checkpoint, config, options)
    else:
        inputs = dict(other_inputs(options))
    inputs = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor
              for name, tensor in inputs.items()}
    with torch.no_grad():
        result = model(**inputs)
    if not kept:
        print(f"dump-hf.py: no module's name fits '{options.keep}'", file=sys.stderr)
    for name in ("logits", "logits_per_image", "logits_per_text", "image_embeds", "text_embeds"):
        keep(name, getattr(result, name, None))
    if options.generate:
        for handle in hooks:
            handle.remove()
        tokens = model.generate(**inputs, do_sample=False, max_new_tokens=options.generate)
        prompt = inputs["input_ids"]
        # Whether the prompt comes along depends on the release.
        if tokens.shape[1] > prompt.shape[1] and torch.equal(tokens[:, :prompt.shape[1]], prompt):
            tokens = tokens[:, prompt.shape[1]:]
        kept["generated_ids"] = tokens.contiguous()
    kept |= {f"inputs.{name}": tensor.contiguous() for name, tensor in inputs.items()}
    metadata = {
        "made_by": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "dtype": options.dtype, "prompt": options.prompt, "texts": json.dumps(options.text),
        "image": "" if str(options.picture) == "-" else options.picture.name,
    }
    save_file(kept, options.out, metadata=metadata)
    print(f"wrote {len(kept)} tensors to {options.out}", file=sys.stderr)


if __name__ == "__main__":
    main()
