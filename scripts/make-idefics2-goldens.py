#!/usr/bin/env python3
"""Makes Tests/Goldens/idefics2: a tiny random Idefics2 in the published layout, run through transformers'
own processor and model in float32 on weights rounded to float16, image splitting on: two pictures of odd
aspects, so ten views of five sizes in one batch. With the output of every module as a forward hook sees
it, and what the processor makes of other prompts and sizes.

Needs torch and transformers (made with torch 2.15 on CPU and transformers 5.24); tests do not.
    OMP_NUM_THREADS=1 python scripts/make-idefics2-goldens.py
"""
import importlib.util
import json
import pathlib
import random

import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import Idefics2Config, Idefics2ForConditionalGeneration
from transformers.models.idefics2.image_processing_pil_idefics2 import (
    Idefics2ImageProcessorPil, SizeDict, get_resize_output_image_size)
from transformers.models.idefics2.processing_idefics2 import Idefics2Processor

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("goldens", HERE / "make-goldens.py")
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)

SEED = 20261128
LATENTS = 4
TEMPLATE = (
    "{% for message in messages %}{{message['role'].capitalize()}}{% if message['content'][0]['type'] == 'image' %}"
    "{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}"
    "{{line['text']}}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}")
PICTURE, TEXT = {"type": "image"}, lambda text: {"type": "text", "text": text}
MESSAGES = [
    {"role": "user", "content": [PICTURE, TEXT("What is in the picture?")]},
    {"role": "assistant", "content": [TEXT("a red circle.")]},
    {"role": "user", "content": [TEXT("And here?"), PICTURE]},
]
# Where pictures touch, and what follows them: spaces, points, lines, letters of other scripts.
OTHERS = [
    [{"role": "user", "content": [PICTURE, PICTURE, TEXT("Which is larger?")]}],
    [{"role": "user", "content": [PICTURE, TEXT(" a blank"), PICTURE, TEXT("\na line"), PICTURE, TEXT("...")]}],
    [{"role": "system", "content": [TEXT("be short")]}, {"role": "user", "content": [TEXT(":) "), PICTURE]}],
    [{"role": "user", "content": [TEXT("你好 🙂"), PICTURE, TEXT("图")]}],
    [{"role": "user", "content": [TEXT("  two blanks  ")]}],
]


def sentencepiece_like(folder):
    """A byte-pair tokenizer with bytes to fall back on, laid out as Mistral's tokenizer.json."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first")
    trained.train_from_iterator(
        goldens.CORPUS * 4 + ["User: Assistant: System: What is here? And there."],
        trainers.BpeTrainer(vocab_size=110, show_progress=False))
    learned = json.loads(trained.to_str())["model"]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = [piece for piece, _ in sorted(learned["vocab"].items(), key=lambda entry: entry[1])]
    vocabulary = {name: id for id, name in enumerate(names + pieces)}
    tokenizer = Tokenizer(models.BPE(
        vocab=vocabulary, merges=[tuple(m) if isinstance(m, list) else tuple(m.split(" ")) for m in learned["merges"]],
        unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in (
        "<unk>", "<s>", "</s>", "<fake_token_around_image>", "<image>", "<end_of_utterance>")])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<unk>",
        "model_max_length": 4096, "processor_class": "Idefics2Processor", "tokenizer_class": "LlamaTokenizer",
        "additional_special_tokens": ["<fake_token_around_image>", "<image>", "<end_of_utterance>"],
    }, indent=1) + "\n")
    from transformers import PreTrainedTokenizerFast
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<unk>")


def buckets(sides):
    """The bucket of each of `nb` patches, for every `nb`, by the code of transformers 5 and that of 4.40."""
    boundaries = torch.arange(1 / sides, 1.0, 1 / sides)
    newer, older = [], []
    for count in range(1, sides + 1):
        nb = torch.tensor([count])
        step = 1.0 / nb
        places = torch.clamp(torch.arange(count, dtype=torch.float32)[None, :] * step[:, None], max=(1.0 - 1e-6))
        newer.append(torch.bucketize(places, boundaries, right=True)[0].tolist())
        places = torch.arange(0, 1 - 1e-6, 1 / nb[0])
        older.append(torch.bucketize(places, boundaries, right=True).tolist())
        assert len(older[-1]) == count
    return newer, older


if __name__ == "__main__":
    torch.set_num_threads(1)
    out = goldens.ROOT / "idefics2"
    out.mkdir(exist_ok=True)
    tokenizer = sentencepiece_like(out)
    pictures = Idefics2ImageProcessorPil(
        do_image_splitting=True, size={"shortest_edge": 30, "longest_edge": 70})
    processor = Idefics2Processor(pictures, tokenizer, image_seq_len=LATENTS, chat_template=TEMPLATE)
    rows = len(tokenizer)
    config = Idefics2Config(
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        vision_config=dict(hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2,
                           image_size=70, patch_size=10, hidden_act="gelu_pytorch_tanh", layer_norm_eps=1e-6),
        perceiver_config=dict(hidden_size=16, rms_norm_eps=1e-5, resampler_n_latents=LATENTS, resampler_depth=2,
                              resampler_n_heads=4, resampler_head_dim=10, num_key_value_heads=2),
        text_config=dict(model_type="mistral", vocab_size=rows, hidden_size=16, intermediate_size=24,
                         num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=8,
                         sliding_window=24, max_position_embeddings=512, rms_norm_eps=1e-5, bos_token_id=1,
                         eos_token_id=2, pad_token_id=0))
    model = Idefics2ForConditionalGeneration._from_config(config, attn_implementation="eager").eval()
    generator = torch.Generator().manual_seed(SEED)
    goldens.randomise(model, generator)
    with torch.no_grad():
        latents = model.model.connector.perceiver_resampler.latents
        latents.copy_((0.7 * torch.randn(latents.shape, generator=generator)).half().float())
    names = ["picture.png", "tall.png"]
    images = [Image.open(goldens.ROOT / name).convert("RGB") for name in names]
    prompt = processor.apply_chat_template(MESSAGES, add_generation_prompt=True)
    inputs = processor(text=prompt, images=[images], return_tensors="pt")
    inputs.pop("token_type_ids", None)
    trace, _ = goldens.record(model, lambda: model(**inputs))
    trace = {name: tensor.clone() for name, tensor in trace.items()}
    trace |= {"inputs." + name: inputs[name].contiguous().clone() for name in ("pixel_values", "input_ids")}
    trace["inputs.pixel_attention_mask"] = inputs["pixel_attention_mask"].to(torch.uint8).contiguous()
    with torch.no_grad():
        greedy = model.generate(**inputs, max_new_tokens=12, do_sample=False, eos_token_id=[])
    length = inputs["input_ids"].shape[1]
    other = []
    for messages in OTHERS:
        text = processor.apply_chat_template(messages, add_generation_prompt=True)
        count = text.count("<image>")
        found = {"messages": messages, "prompt": text}
        for splits in (True, False):
            pictures.do_image_splitting = splits
            ids = processor(text=text, images=[[images[0]] * count] if count else None)["input_ids"][0]
            found["split_ids" if splits else "whole_ids"] = list(map(int, ids))
        other.append(found)
    pictures.do_image_splitting = True
    chance = random.Random(SEED)
    sizes = []
    for _ in range(300):
        width, height = chance.randint(1, 3000), chance.randint(1, 3000)
        made = get_resize_output_image_size(
            torch.empty(3, height, width, device="meta"), SizeDict(shortest_edge=378, longest_edge=980))
        sizes.append([width, height, made[1], made[0]])
    newer, older = buckets(70)
    model.config.dtype = torch.float16
    save_file({name: tensor.half().contiguous() for name, tensor in model.state_dict().items()},
              out / "model.safetensors", metadata={"format": "pt"})
    model.config.save_pretrained(out)
    processor.save_pretrained(out / "saved")
    (out / "saved" / "processor_config.json").replace(out / "processor_config.json")
    (out / "saved" / "chat_template.jinja").replace(out / "chat_template.jinja")
    for rest in (out / "saved").iterdir():
        rest.unlink()
    (out / "saved").rmdir()
    (out / "generation_config.json").write_text(json.dumps(dict(
        bos_token_id=1, eos_token_id=[2, tokenizer.convert_tokens_to_ids("<end_of_utterance>")],
        pad_token_id=0, max_new_tokens=12), indent=1) + "\n")
    save_file(trace, out / "trace.safetensors", metadata={"seed": str(SEED), "torch": torch.__version__})
    (out / "expected.json").write_text(json.dumps(dict(
        images=names, messages=MESSAGES, prompt=prompt, input_ids=inputs["input_ids"].tolist(),
        greedy=greedy[0, length:].tolist(), others=other,
        views=[[int(m[:, 0].sum()), int(m[0].sum())] for m in inputs["pixel_attention_mask"][0]],
        sizes=sizes, buckets=newer,
        older_buckets={str(n + 1): b for n, (a, b) in enumerate(zip(newer, older)) if a != b})) + "\n")
    print(length, "tokens", len(trace), "tensors", tuple(inputs["pixel_values"].shape), greedy[0, length:].tolist())
