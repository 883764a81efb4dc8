#!/usr/bin/env python3
"""Makes Tests/Goldens/blip2, blip2-itm, vit and clip (the last in three layouts): tiny random checkpoints in the published
layout, run through the reference implementation in float32 on weights rounded to float16, with the
output of every module as a forward hook sees it.

Needs torch and transformers (made with torch 2.13 on CPU and transformers 5.23); tests do not.
    python scripts/make-goldens.py [blip2] [blip2-itm] [vit] [clip]
"""
import json
import pathlib
import shutil
import string
import sys

import numpy
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertTokenizerFast, Blip2Config, Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval,
    Blip2Processor, CLIPConfig, CLIPModel, GPT2TokenizerFast, ViTConfig, ViTForImageClassification,
)
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

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
            elif parameter.ndim <= 1:
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
            if name.endswith(("self_attn", "attention.attention", "crossattention.attention",
                              ".attention")) \
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
    # Another size: position embeddings interpolated.
    larger = BlipImageProcessorPil(size={"height": 72, "width": 72})(
        picture(), return_tensors="pt")["pixel_values"]
    with torch.no_grad():
        expected["class_token_72"] = model.vision_model(
            pixel_values=larger, interpolate_pos_encoding=True).last_hidden_state[0, 0].tolist()
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


def classification():
    """A ViT: what the library saves has the published names."""
    folder = ROOT / "vit"
    folder.mkdir(parents=True, exist_ok=True)
    labels = ["red circle", "blue square", "green star", "yellow cross", "grey ground"]
    config = ViTConfig(
        hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3,
        image_size=40, patch_size=8, qkv_bias=True, layer_norm_eps=1e-12, hidden_act="gelu",
        id2label=dict(enumerate(labels)), label2id={l: i for i, l in enumerate(labels)})
    torch.manual_seed(SEED)
    model = ViTForImageClassification._from_config(config, attn_implementation="eager")
    model = model.eval().float()
    randomise(model, torch.Generator().manual_seed(SEED + 2))
    images = ViTImageProcessorPil(size={"height": 40, "width": 40})
    images.save_pretrained(folder)
    pixels = images(picture(), return_tensors="pt")["pixel_values"]
    trace, result = record(model, lambda: model(pixel_values=pixels))
    trace["inputs.pixel_values"] = pixels.contiguous()
    expected = dict(image="picture.png", logits=result.logits[0].tolist(),
                    probabilities=result.logits[0].softmax(-1).tolist(), labels=labels)
    # Other sizes: position embeddings interpolated.
    for size in (24, 56, 80):
        other = ViTImageProcessorPil(size={"height": size, "width": size})
        larger = other(picture(), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            logits = model(pixel_values=larger, interpolate_pos_encoding=True).logits
            table = model.vit.embeddings.interpolate_pos_encoding(
                torch.zeros(1, (size // 8) ** 2 + 1, 24), size, size)
        expected[f"logits_{size}"] = logits[0].tolist()
        trace[f"positions.{size}"] = table.contiguous()
    trace = {k: v for k, v in trace.items() if not k.startswith("positions.")} | {
        f"inputs.{k}": v for k, v in trace.items() if k.startswith("positions.")}
    model.config.dtype = torch.float16
    model.half().save_pretrained(folder)
    save_file(trace, folder / "trace.safetensors",
              metadata={"seed": str(SEED), "torch": torch.__version__})
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def clip_tokenizer(folder):
    """A small vocabulary of CLIP's kind, with one token behind the end token."""
    words = sorted({w.strip(string.punctuation).lower() for line in CORPUS for w in line.split()} - {""})
    trained = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    trained.pre_tokenizer = pre_tokenizers.Whitespace()
    trained.train_from_iterator(words * 3, trainers.BpeTrainer(
        vocab_size=180, end_of_word_suffix="</w>", show_progress=False))
    merges = [tuple(m) for m in json.loads(trained.to_str())["model"]["merges"]]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = letters + [c + "</w>" for c in letters] + ["".join(m) for m in merges]
    vocabulary = list(dict.fromkeys(vocabulary)) + ["<|startoftext|>", "<|endoftext|>", "zebra</w>"]
    ids = {token: place for place, token in enumerate(vocabulary)}
    (folder / "vocab.json").write_text(json.dumps(ids))
    from transformers import CLIPTokenizer
    wrapped = CLIPTokenizer(vocab=ids, merges=merges)
    wrapped.add_tokens(["zebra"])
    wrapped.save_pretrained(folder)
    (folder / "vocab.json").unlink()
    return wrapped


def open_names(state):
    """The same weights under OpenCLIP's names: one layer for queries, keys and values, and
    projections the other way round."""
    result = {}
    for key, value in state.items():
        key = key.replace("vision_model.encoder.layers", "visual.transformer.resblocks") \
            .replace("text_model.encoder.layers", "transformer.resblocks") \
            .replace("layer_norm1", "ln_1").replace("layer_norm2", "ln_2") \
            .replace("mlp.fc1", "mlp.c_fc").replace("mlp.fc2", "mlp.c_proj") \
            .replace("self_attn", "attn") \
            .replace("vision_model.embeddings.class_embedding", "visual.class_embedding") \
            .replace("vision_model.embeddings.patch_embedding", "visual.conv1") \
            .replace("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding") \
            .replace("vision_model.pre_layrnorm", "visual.ln_pre") \
            .replace("vision_model.post_layernorm", "visual.ln_post") \
            .replace("text_model.embeddings.token_embedding", "token_embedding") \
            .replace("text_model.embeddings.position_embedding.weight", "positional_embedding") \
            .replace("text_model.final_layer_norm", "ln_final")
        if key in ("visual_projection.weight", "text_projection.weight"):
            key, value = {"v": "visual.proj", "t": "text_projection"}[key[0]], value.T.contiguous()
        result[key] = value
    for key in [k for k in result if ".attn.q_proj." in k]:
        parts = [result.pop(key.replace("q_proj", p)) for p in ("q_proj", "k_proj", "v_proj")]
        result[key.replace("attn.q_proj.", "attn.in_proj_")] = torch.cat(parts).contiguous()
    return result


def contrast():
    """A CLIP in three layouts: transformers', OpenCLIP's, sentence-transformers'."""
    folder = ROOT / "clip"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = clip_tokenizer(folder)
    end = tokenizer.convert_tokens_to_ids("<|endoftext|>")
    config = CLIPConfig(
        projection_dim=12,
        text_config=dict(
            vocab_size=len(tokenizer), hidden_size=16, intermediate_size=64, num_hidden_layers=2,
            num_attention_heads=2, max_position_embeddings=20, hidden_act="gelu",
            bos_token_id=end - 1, eos_token_id=end, pad_token_id=end),
        vision_config=dict(
            hidden_size=24, intermediate_size=96, num_hidden_layers=2, num_attention_heads=3,
            image_size=48, patch_size=12, hidden_act="gelu"))
    torch.manual_seed(SEED)
    model = CLIPModel._from_config(config, attn_implementation="eager").eval().float()
    randomise(model, torch.Generator().manual_seed(SEED + 3))
    with torch.no_grad():
        model.logit_scale.copy_(torch.tensor(2.5))
    images = CLIPImageProcessorPil(
        size={"shortest_edge": 48}, crop_size={"height": 48, "width": 48})
    images.save_pretrained(folder)
    second = picture().transpose(Image.Transpose.ROTATE_90).crop((0, 5, 60, 103))
    second.save(ROOT / "tall.png")
    pixels = images([picture(), second], return_tensors="pt")["pixel_values"]
    texts = ["A red circle on a grey ground.", "two triangles", "a zebra left of a star"]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    inputs = dict(pixel_values=pixels, input_ids=batch["input_ids"],
                  attention_mask=batch["attention_mask"])
    trace, result = record(model, lambda: model(**inputs))
    trace |= {f"inputs.{k}": v.contiguous() for k, v in inputs.items()}
    for name in ("image_embeds", "text_embeds", "logits_per_image", "logits_per_text"):
        trace[name] = getattr(result, name).detach().contiguous()

    def features(**changes):
        with torch.no_grad():
            return model.get_text_features(**batch, **changes).pooler_output.tolist()

    expected = dict(images=["picture.png", "tall.png"], texts=texts,
                    input_ids=batch["input_ids"].tolist(),
                    probabilities=result.logits_per_image.softmax(-1).tolist(),
                    text_features=features())
    # What older files mean by eos_token_id 2: the highest id stands for the text.
    model.text_model.eos_token_id = 2
    expected["text_features_eos_2"] = features()
    model.text_model.eos_token_id = end
    wide = CLIPImageProcessorPil(
        size={"shortest_edge": 72}, crop_size={"height": 72, "width": 72})
    with torch.no_grad():
        expected["image_features_72"] = model.get_image_features(
            pixel_values=wide([picture(), second], return_tensors="pt")["pixel_values"],
            interpolate_pos_encoding=True).pooler_output.tolist()
    model.config.dtype = torch.float16
    model.half().save_pretrained(folder)
    save_file(trace, folder / "trace.safetensors",
              metadata={"seed": str(SEED), "torch": torch.__version__})
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

    other = ROOT / "clip-open"
    other.mkdir(parents=True, exist_ok=True)
    save_file(open_names(model.state_dict()), other / "open_clip_model.safetensors",
              metadata={"format": "pt"})
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, other / name)
    (other / "open_clip_config.json").write_text(json.dumps(dict(
        model_cfg=dict(
            embed_dim=12, quick_gelu=False,
            vision_cfg=dict(image_size=48, layers=2, width=24, head_width=8, patch_size=12),
            text_cfg=dict(context_length=20, vocab_size=len(tokenizer), width=16, heads=2, layers=2)),
        preprocess_cfg=dict(mean=images.image_mean, std=images.image_std)), indent=1) + "\n")


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["blip2", "blip2-itm", "vit", "clip"]
    for name, make in (("blip2", generation), ("blip2-itm", retrieval), ("vit", classification),
                       ("clip", contrast)):
        if name in chosen:
            make()
