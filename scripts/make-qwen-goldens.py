#!/usr/bin/env python3
"""Makes Tests/Goldens/qwen-vl: a tiny random Qwen-VL in the published layout, with what a few of its
modules give, for machines that have no other witness.

The published code is in no package. The maths are those of scripts/training/qwen_network.py, which agrees
with a trace of the published code (`python scripts/training/qwen_network.py FOLDER` shows it).

Needs torch, safetensors, tiktoken and Pillow (made with torch 2.15 on CPU); tests do not.
    python scripts/make-qwen-goldens.py
"""
import base64, json, pathlib, re, shutil, sys
import numpy, torch
from PIL import Image
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent / "Tests" / "Goldens"
sys.path.insert(0, str(HERE / "training"))
from qwen_network import Network, configuration

SEED = 20261128
QUERY = "Which one is it?"
SYSTEM = "You are a helpful assistant."
SPECIAL = (["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [f"<|extra_{i}|>" for i in range(205)]
           + ["<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"])
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def tokenizer(file):
    import tiktoken
    ranks = {}
    for line in file.read_bytes().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    special = {name: len(ranks) + i for i, name in enumerate(SPECIAL)}
    return tiktoken.Encoding("small", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=special), special


def context(words, special, turns):
    """ChatML, as the published make_context lays it out; a picture is the path between its tags."""
    start, end, line = [special["<|im_start|>"]], [special["<|im_end|>"]], words.encode_ordinary("\n")

    def content(text):
        ids = []
        for part in re.split("(<img>.*?</img>)", text):
            if part.startswith("<img>"):
                path = list(part[5:-6].encode())
                path += [special["<imgpad>"]] * (256 - len(path))
                ids += [special["<img>"]] + path + [special["</img>"]]
            else:
                ids += words.encode_ordinary(part)
        return ids
    ids = []
    for role, text in turns:
        ids += (line if ids else []) + start + words.encode_ordinary(role) + line + content(text) + end
    return ids + line + start + words.encode_ordinary("assistant") + line


if __name__ == "__main__":
    torch.set_num_threads(1)
    out = ROOT / "qwen-vl"
    out.mkdir(exist_ok=True)
    for name in ("qwen.tiktoken", "tokenizer_config.json"):
        shutil.copy(ROOT / "tokenizers" / "ranks" / name, out / name)
    words, special = tokenizer(out / "qwen.tiktoken")
    config = configuration((words.n_vocab + 15) // 16 * 16, special["<img>"])
    config |= dict(hidden_size=128, num_hidden_layers=2, num_attention_heads=4, kv_channels=32,
                   intermediate_size=96)
    config["visual"] |= dict(width=24, layers=2, heads=2, image_size=48, patch_size=16, mlp_ratio=2.0,
                             output_dim=128)
    network = Network(config, seed=SEED).eval()
    torch.manual_seed(SEED)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.dim() == 1:
                base = 1.0 if name.endswith("weight") else 0.0
                weight.copy_(base + 0.1 * torch.randn_like(weight))
            else:
                weight.normal_(0, 1.5 / weight[0].numel() ** 0.5)
        network.load_state_dict({k: v.half().float() for k, v in network.state_dict().items()})
    picture = Image.open(ROOT / "picture.png").convert("RGB")
    pixels = numpy.asarray(picture.resize((48, 48), Image.BICUBIC), numpy.float32) / numpy.float32(255)
    mean = numpy.array([0.48145466, 0.4578275, 0.40821073], numpy.float32)
    deviation = numpy.array([0.26862954, 0.26130258, 0.27577711], numpy.float32)
    pixels = torch.from_numpy(((pixels - mean) / deviation).transpose(2, 0, 1).copy())[None]
    query = f"Picture 1: <img>picture.png</img>\n{QUERY}"
    ids = context(words, special, [("system", SYSTEM), ("user", query)])
    trace = {}
    visual = network.visual
    with torch.no_grad():
        seen = visual.see(pixels)
        trace["transformer.visual.transformer"] = seen.transpose(0, 1)
        trace["transformer.visual.attn_pool"] = visual.attn_pool(seen)
        trace["transformer.visual"] = visual.tell(seen)
        hooks = [network.transformer.ln_f.register_forward_hook(
            lambda _, __, y: trace.__setitem__("transformer.ln_f", y))]
        logits = network(torch.tensor([ids]), pixels)
        [hook.remove() for hook in hooks]
        trace["lm_head"] = logits[:, -1:]
        read, greedy = list(ids), []
        for _ in range(12):
            greedy.append(int(network(torch.tensor([read]), pixels)[0, -1].argmax()))
            read.append(greedy[-1])
    trace |= {"inputs.input_ids": torch.tensor([ids]), "inputs.pixel_values": pixels}
    save_file({k: v.contiguous().clone() for k, v in trace.items()}, out / "trace.safetensors")
    save_file({k: v.half().contiguous() for k, v in network.state_dict().items()},
              out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    end = special["<|endoftext|>"]
    (out / "generation_config.json").write_text(json.dumps(dict(
        chat_format="chatml", eos_token_id=end, pad_token_id=end, max_window_size=6144,
        max_new_tokens=12, do_sample=False, top_k=0, top_p=0.5), indent=1) + "\n")
    (out / "expected.json").write_text(json.dumps(
        dict(image="picture.png", query=query, input_ids=ids, greedy=greedy), indent=1) + "\n")
    print(len(ids), "tokens", len(trace), "tensors", greedy)
