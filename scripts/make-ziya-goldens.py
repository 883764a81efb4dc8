#!/usr/bin/env python3
"""Makes Tests/Goldens/ziya: a tiny random BLIP-2 with a LLaMA, whole and in two folders of pickles, as
Ziya-BLIP2-14B-Visual and Ziya-LLaMA-13B are published, run through the reference implementation in float32
on weights rounded to float16, with the output of every module as a forward hook sees it.

How Ziya's own code puts picture and text together is not known; what is known is the text,
`<human>:…`, a line break, `<bot>:`. So there is a case with and one without a begin token.

Needs torch and transformers (made with torch 2.15 on CPU and transformers 5.24); tests do not.
    python scripts/make-ziya-goldens.py
"""
import importlib.util
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import Blip2Config, Blip2ForConditionalGeneration
from transformers.generation.logits_process import (
    RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopPLogitsWarper,
)

HERE = pathlib.Path(__file__).resolve().parent
spec = importlib.util.spec_from_file_location("goldens", HERE / "make-goldens.py")
goldens = importlib.util.module_from_spec(spec)
spec.loader.exec_module(goldens)

CASES = [
    ("human-bot", "<human>:how many circles?\n<bot>:"),
    ("human-bot-no-bos", "<human>:Is there a star?\n<bot>:"),
    ("human-bot", "<human>:Is there a star?\n<bot>:yes\n<human>:how many circles?\n<bot>:"),
]


def main():
    folder = goldens.ROOT / "ziya"
    for part in ("visual", "llm"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    tokenizer = goldens.byte_level_tokenizer(folder)
    image_token = tokenizer.token_to_id("<image>")
    llama = dict(
        model_type="llama", vocab_size=336, hidden_size=20, intermediate_size=44, num_hidden_layers=2,
        num_attention_heads=4, head_dim=6, num_key_value_heads=4, max_position_embeddings=96,
        rms_norm_eps=1e-6, hidden_act="silu", tie_word_embeddings=False, bos_token_id=0, eos_token_id=2,
        pad_token_id=1)
    config = Blip2Config(
        vision_config=dict(goldens.VISION),
        qformer_config=dict(goldens.QFORMER, use_qformer_text_input=False),
        text_config=llama, num_query_tokens=6, image_token_index=image_token)
    config.architectures = ["Blip2ForConditionalGeneration"]
    torch.manual_seed(goldens.SEED)
    model = Blip2ForConditionalGeneration._from_config(config, attn_implementation="eager")
    model = model.eval().float()
    goldens.randomise(model, torch.Generator().manual_seed(goldens.SEED + 9))
    pixels = goldens.processor(folder)(goldens.picture(), return_tensors="pt")["pixel_values"]

    def inputs(ids):
        ids = torch.tensor([ids])
        return dict(pixel_values=pixels, input_ids=ids, attention_mask=torch.ones_like(ids))

    cases, trace = [], None
    for kind, text in CASES:
        words = tokenizer.encode(text, add_special_tokens=False).ids
        text_ids = ([0] if kind == "human-bot" else []) + words
        ids = [image_token] * 6 + text_ids
        if trace is None:
            trace, _ = goldens.record(model, lambda: model(**inputs(ids)))
            trace |= {f"inputs.{k}": v.contiguous() for k, v in inputs(ids).items()}
        written = []
        with torch.no_grad():
            for _ in range(8):
                logits = model(**inputs(ids + written)).logits[:, -1]
                if not written:
                    first = logits
                written.append(int(logits.argmax()))
        # The penalty counts the text, for the language model is given embeddings of the picture.
        scores = RepetitionPenaltyLogitsProcessor(1.18)(torch.tensor([text_ids]), first.clone())
        scores = TopPLogitsWarper(0.1)(None, TemperatureLogitsWarper(0.7)(None, scores))
        drawn = scores.softmax(-1)[0]
        cases.append(dict(
            chat_format=kind, text=text, input_ids=ids, greedy=written,
            sampling=[[i, float(drawn[i])] for i in range(len(drawn)) if drawn[i] > 0]))
    expected = dict(image="picture.png", cases=cases)

    state = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    model.config.dtype = torch.float16
    model.config.save_pretrained(folder)
    save_file(trace, folder / "trace.safetensors",
              metadata={"seed": str(goldens.SEED), "torch": torch.__version__})
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")

    root = "language_model."
    torch.save({k: v for k, v in state.items() if not k.startswith(root)},
               folder / "visual" / "pytorch_model.bin")
    speaking = {k[len(root):]: v for k, v in state.items() if k.startswith(root)}
    # Old files hold the frequencies.
    for layer in range(2):
        speaking[f"model.layers.{layer}.self_attn.rotary_emb.inv_freq"] = \
            10000 ** (-torch.arange(0, 6, 2).float() / 6)
    torch.save(speaking, folder / "llm" / "pytorch_model.bin")
    whole = json.loads((folder / "config.json").read_text())
    visual = dict(whole, architectures=["ZiyaBLIP2ForConditionalGeneration"],
                  text_config=dict(model_type="llama", hidden_size=20, vocab_size=336))
    (folder / "visual" / "config.json").write_text(json.dumps(visual, indent=2) + "\n")
    (folder / "llm" / "config.json").write_text(json.dumps(
        dict(whole["text_config"], architectures=["LlamaForCausalLM"], dtype="float16"), indent=2) + "\n")
    shutil.copy(folder / "preprocessor_config.json", folder / "visual")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, folder / "llm")
    print(len(trace), "tensors", [case["greedy"] for case in cases])


if __name__ == "__main__":
    main()
