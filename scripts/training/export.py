"""Writes a trained checkpoint in the published layout, float16.

    export.py FOLDER CHECKPOINT OUT

OUT/generation loads as Blip2ForConditionalGeneration, OUT/itm as Blip2ForImageTextRetrieval. OUT/both
is the first with the second in its subfolder `matching`, as shards: what they share is stored once.
"""
import json, os, shutil, sys
import torch
from safetensors.torch import save_file
from network import Network, configuration
from train_together import MATCHING_WORDS
from worlds import INPUT, MEAN, DEVIATION, Tokens

folder, checkpoint, out = sys.argv[1:4]
tokens = Tokens(folder)
network = Network(configuration(tokens, MATCHING_WORDS))
saved = torch.load(checkpoint)
if "network" not in saved:    # the last stage saves what it changes
    network.load_state_dict(torch.load(os.path.join(folder, "joint.pt"))["network"])
    network.language_model.load_state_dict(saved["language"])
    network.language_projection.load_state_dict(saved["projection"])
else:
    network.load_state_dict(saved["network"])
state = {k: v.half().contiguous() for k, v in network.state_dict().items()}
state.pop("language_model.lm_head.weight", None)    # tied to the embeddings

RETRIEVAL = ("embeddings.", "vision_projection.", "text_projection.", "itm_head.")


def reads_text(name):
    """The feed-forward layers of the Q-Former that only text passes."""
    parts = name.split(".")
    return name.startswith("qformer.encoder.layer.") and parts[4] in ("intermediate", "output")


def write(name, keep, architecture, change):
    place = os.path.join(out, name)
    os.makedirs(place, exist_ok=True)
    kept = {k: v for k, v in state.items() if keep(k)}
    save_file(kept, os.path.join(place, "model.safetensors"), metadata={"format": "pt"})
    config = network.config.to_dict()
    config["architectures"], config["dtype"] = [architecture], "float16"
    change(config)
    with open(os.path.join(place, "config.json"), "w") as file:
        json.dump(config, file, indent=2, sort_keys=True)
    with open(os.path.join(place, "preprocessor_config.json"), "w") as file:
        json.dump(dict(
            image_processor_type="BlipImageProcessor", do_convert_rgb=True, do_resize=True,
            size=dict(height=INPUT, width=INPUT), resample=3, do_rescale=True,
            rescale_factor=1 / 255, do_normalize=True,
            image_mean=[round(float(v), 8) for v in MEAN],
            image_std=[round(float(v), 8) for v in DEVIATION]), file, indent=2)
    size = os.path.getsize(os.path.join(place, "model.safetensors"))
    print(name, len(kept), "tensors", sum(v.numel() for v in kept.values()), "numbers", size, "bytes")


def generation(config):
    config["qformer_config"]["use_qformer_text_input"] = False


def retrieval(config):
    config["image_token_index"] = None


write("generation", lambda k: not k.startswith(RETRIEVAL) and not reads_text(k),
      "Blip2ForConditionalGeneration", generation)
write("itm", lambda k: not k.startswith(("language_",)), "Blip2ForImageTextRetrieval", retrieval)
shutil.copy(os.path.join(folder, "tokenizer.json"), os.path.join(out, "generation"))
with open(os.path.join(out, "generation", "generation_config.json"), "w") as file:
    json.dump(dict(bos_token_id=tokens.begin, eos_token_id=tokens.end, pad_token_id=tokens.pad,
                   max_new_tokens=48), file, indent=2)
for name in ("tokenizer.json", "vocab.txt"):
    shutil.copy(os.path.join(folder, "matching", name), os.path.join(out, "itm"))
for name, kind in (("generation", "GPT2Tokenizer"), ("itm", "BertTokenizer")):
    facts = dict(tokenizer_class=kind, model_max_length=256)
    facts |= dict(do_lower_case=True, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
                  pad_token="[PAD]", mask_token="[MASK]") if name == "itm" else dict(
                      bos_token="</s>", eos_token="\n", pad_token="<pad>", unk_token="<unk>")
    with open(os.path.join(out, name, "tokenizer_config.json"), "w") as file:
        json.dump(facts, file, indent=2)

# Both in one: three shards, of which each model's index names two.
both = os.path.join(out, "both")
shutil.rmtree(both, ignore_errors=True)
for name, place in (("generation", both), ("itm", os.path.join(both, "matching"))):
    shutil.copytree(os.path.join(out, name), place, ignore=shutil.ignore_patterns("*.safetensors"))


def shard(key):
    if key.startswith("language_"):
        return "language.safetensors"
    if key.startswith(RETRIEVAL) or reads_text(key):
        return "matching.safetensors"
    return "towers.safetensors"


for name, place in (("towers", both), ("language", both), ("matching", os.path.join(both, "matching"))):
    file = name + ".safetensors"
    save_file({k: v for k, v in state.items() if shard(k) == file}, os.path.join(place, file),
              metadata={"format": "pt"})
os.symlink("../towers.safetensors", os.path.join(both, "matching", "towers.safetensors"))
for place, left_out in ((both, "matching"), (os.path.join(both, "matching"), "language")):
    kept = {k: shard(k) for k in sorted(state) if shard(k) != left_out + ".safetensors"}
    size = sum(state[k].numel() * 2 for k in kept)
    with open(os.path.join(place, "model.safetensors.index.json"), "w") as file:
        json.dump(dict(metadata=dict(total_size=size), weight_map=kept), file, indent=1)
print("both", sum(v.numel() * 2 for v in state.values()), "bytes of numbers")
