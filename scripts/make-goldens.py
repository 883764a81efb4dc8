#!/usr/bin/env python3
"""Makes Tests/Goldens/blip2 and Tests/Goldens/blip2-itm: tiny random checkpoints in the published
layout, run through the reference implementation in float32 on weights rounded to float16, with the
output of every module as a forward hook sees it.

Needs torch and transformers (made with torch 2.13 on CPU and transformers 5.23); tests do not.
    python scripts/make-goldens.py
"""
import json
import pathlib
import string

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertTokenizerFast, Blip2Config, Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval,
    Blip2Processor, GPT2TokenizerFast,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

SEED = 20240517
ROOT = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Goldens"
CORPUS = [
    "Question: what is in the picture? Answer: a red circle on a grey ground\n",
    "a small blue square left of a large green star", "two yellow triangles and one cross",
    "Is there a circle? yes. How many shapes are there? three", "0 1 2 3 4 5 6 7 8 9",
]
VISION = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
              image_size=48, patch_size=12, hidden_act="gelu", layer_norm_eps=1e-6, qkv_bias=True)
QFORMER = dict(hidden_size=20, intermediate_size=36, num_hidden_layers=3, num_attention_heads=2,
               encoder_hidden_size=24, cross_attention_frequency=2, max_position_embeddings=40)


def picture():
    """A photograph-like picture that compresses: smooth colours and a few edges."""
    y, x = numpy.mgrid[0:71, 0:103] / 71.0
    rgb = numpy.stack([numpy.sin(3 * x + y), numpy.cos(5 * y - x), x * y], -1) * 90 + 128
    rgb[20:45, 30:60] = (200, 40, 60)
    rgb[50:64, 10:80, 2] += 80
    return Image.fromarray(rgb.clip(0, 255).astype("uint8"))


def randomise(model, generator):
    """Weights large enough that every part matters; rounded as the file will hold them."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight") or "LayerNorm.weight" in name or "layer_norm" in name \
                    and name.endswith("weight") or name.endswith("layernorm.weight"):
                parameter.copy_(1 + 0.2 * noise)
            elif parameter.ndim == 1:
                parameter.copy_(0.2 * noise)
            else:
                fan = parameter[0].numel()
                parameter.copy_(noise * (1.4 / fan ** 0.5 if parameter.ndim > 1 else 0.2))
            parameter.copy_(parameter.half().float())


def record(model, call):
    """Runs `call` with a hook on every module; the first pass through a module is kept."""
    kept, handles = {}, []

    def hook(name):
        def keep(_, __, output):
            tensors = output if isinstance(output, tuple) else (output,)
            first = next((t for t in tensors if torch.is_tensor(t)), None)
            if first is None and hasattr(output, "last_hidden_state"):
                first = output.last_hidden_state
            if first is None and hasattr(output, "logits"):
                first = output.logits
            if first is not None:
                if first.shape[-1] > 200 and first.ndim == 3:
                    first = first[:, -1:]
                kept.setdefault(name, first.detach().float().contiguous().clone())
            if name.endswith(("self_attn", "attention.attention", "crossattention.attention")) \
                    and len(tensors) > 1 and torch.is_tensor(tensors[1]):
                kept.setdefault(name + ".probs", tensors[1].detach().contiguous().clone())
        return keep

    for name, module in model.named_modules():
        if name:
            handles.append(module.register_forward_hook(hook(name)))
    with torch.no_grad():
        result = call()
    for handle in handles:
        handle.remove()
    return kept, result


def byte_level_tokenizer(folder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS * 4, trainers.BpeTrainer(
        vocab_size=330, special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", pair="</s> $A </s> $B", special_tokens=[("</s>", 2)])
    wrapped = GPT2TokenizerFast(
        tokenizer_object=tokenizer, bos_token="</s>", eos_token="</s>", unk_token="</s>",
        pad_token="<pad>", add_prefix_space=False)
    wrapped.save_pretrained(folder)
    # The file as trained, with the begin token: what the wrapper writes loses its post-processor.
    tokenizer.save(str(folder / "tokenizer.json"))
    return tokenizer


def wordpiece_tokenizer(folder):
    words = sorted({w.strip(string.punctuation).lower() for line in CORPUS for w in line.split()} - {""})
    letters = list(string.ascii_lowercase + string.digits)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list("?.,:!") + letters \
        + ["##" + c for c in letters] + [w for w in words if len(w) > 1]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    wrapped = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=True)
    wrapped.save_pretrained(folder)
    return wrapped, len(vocabulary)


def write(folder, model, trace, expected):
    model.config.dtype = torch.float16
    state = {k: v.half() for k, v in model.state_dict().items()
             if not (k.endswith("lm_head.weight"))}
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "model.safetensors",
              metadata={"format": "pt"})
    model.config.save_pretrained(folder)
    save_file(trace, folder / "trace.safetensors",
              metadata={"seed": str(SEED), "torch": torch.__version__})
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def processor(folder):
    images = BlipImageProcessorPil(size={"height": 48, "width": 48})
    images.save_pretrained(folder)
    return images


def generation():
    folder = ROOT / "blip2"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = byte_level_tokenizer(folder)
    rows = (tokenizer.get_vocab_size() + 15) // 16 * 16
    image_token = tokenizer.token_to_id("<image>")
    newline = tokenizer.token_to_id("Ċ")
    config = Blip2Config(
        vision_config=dict(VISION), qformer_config=dict(QFORMER, use_qformer_text_input=False),
        text_config=dict(
            model_type="opt", vocab_size=rows, hidden_size=16, word_embed_proj_dim=16, ffn_dim=40,
            num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=64,
            eos_token_id=newline, bos_token_id=2, pad_token_id=1),
        num_query_tokens=6, image_token_index=image_token)
    torch.manual_seed(SEED)
    model = Blip2ForConditionalGeneration._from_config(config, attn_implementation="eager").eval().float()
    randomise(model, torch.Generator().manual_seed(SEED))
    picture().save(ROOT / "picture.png")
    pixels = processor(folder)(picture(), return_tensors="pt")["pixel_values"]
    prompt = "Question: how many circles? Answer:"
    ids = torch.tensor([[image_token] * 6 + tokenizer.encode(prompt).ids])
    inputs = dict(pixel_values=pixels, input_ids=ids, attention_mask=torch.ones_like(ids))
    trace, _ = record(model, lambda: model(**inputs))
    trace |= {f"inputs.{k}": v.contiguous() for k, v in inputs.items()}

    def answer(**options):
        torch.manual_seed(0)
        result = model.generate(**inputs, max_new_tokens=12, do_sample=False, **options)
        return result[0].tolist()

    expected = dict(
        image="picture.png", prompt=prompt, input_ids=ids[0].tolist(), greedy=answer(),
        beam4=answer(num_beams=4), beam3_length_penalty_2=answer(num_beams=3, length_penalty=2.0),
        beam3_early=answer(num_beams=3, early_stopping=True),
        repetition_penalty_15=answer(repetition_penalty=1.5), min_new_tokens_10=answer(min_new_tokens=10),
        no_repeat_2=answer(no_repeat_ngram_size=2))
    (folder / "processor_config.json").write_text('{"num_query_tokens": 6}\n')
    write(folder, model, trace, expected)
    model.generation_config.save_pretrained(folder)


def retrieval():
    folder = ROOT / "blip2-itm"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer, count = wordpiece_tokenizer(folder)
    config = Blip2Config(
        vision_config=dict(VISION),
        qformer_config=dict(QFORMER, use_qformer_text_input=True, vocab_size=count + 1),
        text_config=dict(model_type="opt"), num_query_tokens=6, image_text_hidden_size=10)
    config.architectures = ["Blip2ForImageTextRetrieval"]
    model = Blip2ForImageTextRetrieval._from_config(config, attn_implementation="eager").eval().float()
    randomise(model, torch.Generator().manual_seed(SEED + 1))
    pixels = processor(folder)(picture(), return_tensors="pt")["pixel_values"]
    texts = ["A red circle on a grey ground.", "two triangles", "Xylophone!"]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    inputs = dict(pixel_values=pixels.expand(len(texts), -1, -1, -1), input_ids=batch["input_ids"],
                  attention_mask=batch["attention_mask"])
    trace, expected = {}, dict(image="picture.png", texts=texts, input_ids=batch["input_ids"].tolist())
    for head, flag in (("itm", True), ("itc", False)):
        kept, result = record(model, lambda: model(**inputs, use_image_text_matching_head=flag))
        trace |= {f"{head}.{k}": v for k, v in kept.items()}
        scores = result.logits_per_image
        trace[f"{head}.logits_per_image"] = scores.contiguous()
        if flag:
            expected["itm_probabilities"] = scores.softmax(-1).tolist()
        else:
            expected["itc_scores"] = scores.tolist()
    trace |= {f"inputs.{k}": v.contiguous() for k, v in inputs.items() if k != "pixel_values"}
    trace["inputs.pixel_values"] = pixels.contiguous()
    write(folder, model, trace, expected)


if __name__ == "__main__":
    generation()
    retrieval()
