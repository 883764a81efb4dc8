"""Writes the small Qwen-VL in the published layout, float16: export_qwen.py FOLDER CHECKPOINT OUT"""
import json, os, shutil, sys
import torch
from safetensors.torch import save_file
from train_qwen import make

folder, checkpoint, out = sys.argv[1:4]
tokens, network = make(folder)
network.load_state_dict(torch.load(checkpoint)["network"])
os.makedirs(out, exist_ok=True)
weights = {k: v.half().contiguous() for k, v in network.state_dict().items()}
assert all(v.isfinite().all() for v in weights.values())
save_file(weights, os.path.join(out, "model.safetensors"), metadata={"format": "pt"})


def write(name, value):
    with open(os.path.join(out, name), "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


write("config.json", network.config)
write("generation_config.json", dict(
    chat_format="chatml", eos_token_id=tokens.end, pad_token_id=tokens.end, max_window_size=6144,
    max_new_tokens=128, do_sample=False, top_k=0, top_p=0.5, transformers_version="4.31.0"))
write("tokenizer_config.json", dict(
    model_max_length=8192, tokenizer_class="QWenTokenizer",
    auto_map={"AutoTokenizer": ["tokenization_qwen.QWenTokenizer", None]}))
shutil.copy(os.path.join(folder, "qwen.tiktoken"), out)
count = sum(v.numel() for v in weights.values())
print(count, "numbers,", sum(os.path.getsize(os.path.join(out, n)) for n in os.listdir(out)),
      "bytes in", out)
