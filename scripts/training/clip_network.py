"""The small CLIP: transformers' own class, begun with the vision tower of the BLIP-2 that ships."""
import math, os
import torch, torch.nn as nn, torch.nn.functional as F
from safetensors import safe_open
from transformers import CLIPConfig, CLIPModel
from worlds import INPUT, PATCHES

TOWER = os.path.join(os.path.dirname(__file__), "../../Sources/Models/Resources/Default",
                     "towers.safetensors")
GIVEN, GATHERING = 6, 2     # blocks of the given tower, and new ones on top of them
RANKS = 4
RANK_FACTS = [9, 6, 3, 10, 10]   # colour, shape, size (0 nobody), column, row


def configuration(vocabulary, end):
    return CLIPConfig(
        text_config=dict(vocab_size=vocabulary, hidden_size=128, intermediate_size=512,
                         num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=64,
                         hidden_act="gelu", bos_token_id=end - 1, eos_token_id=end,
                         pad_token_id=end),
        vision_config=dict(hidden_size=192, intermediate_size=768,
                           num_hidden_layers=GIVEN + GATHERING, num_attention_heads=3,
                           image_size=INPUT, patch_size=16, hidden_act="gelu"),
        projection_dim=128)


class Network(nn.Module):
    """CLIP and, for the training alone, a head that names the objects from left to right."""

    def __init__(self, config, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.clip = CLIPModel(config)
        self.names = nn.Linear(config.vision_config.hidden_size, RANKS * sum(RANK_FACTS))
        with torch.no_grad():
            for module in self.clip.modules():
                if isinstance(module, nn.Linear):
                    module.weight.normal_(0, 0.6 / math.sqrt(module.in_features))
            text = self.clip.text_model.embeddings
            text.token_embedding.weight.normal_(0, 0.3)
            text.position_embedding.weight.normal_(0, 0.1)
            self.take_tower()

    def take_tower(self):
        """The given tower's patches, places and blocks; its patch bias becomes part of the places.

        What cannot be taken is the norm that CLIP has before the first block: `fit_norm`.
        """
        vision = self.clip.vision_model
        with safe_open(TOWER, "pt") as file:
            given = {k.removeprefix("vision_model."): file.get_tensor(k).float()
                     for k in file.keys() if k.startswith("vision_model.")}
        embeddings = vision.embeddings
        embeddings.patch_embedding.weight.copy_(given["embeddings.patch_embedding.weight"])
        places = given["embeddings.position_embedding"][0].clone()
        places[1:] += given["embeddings.patch_embedding.bias"]
        embeddings.position_embedding.weight.copy_(places)
        embeddings.class_embedding.copy_(given["embeddings.class_embedding"].flatten())
        for number in range(GIVEN):
            block, prefix = vision.encoder.layers[number], f"encoder.layers.{number}."
            weights = given[prefix + "self_attn.qkv.weight"].chunk(3)
            biases = given[prefix + "self_attn.qkv.bias"].chunk(3)
            for name, weight, bias in zip(("q_proj", "k_proj", "v_proj"), weights, biases):
                getattr(block.self_attn, name).weight.copy_(weight)
                getattr(block.self_attn, name).bias.copy_(bias)
            block.self_attn.out_proj.weight.copy_(given[prefix + "self_attn.projection.weight"])
            block.self_attn.out_proj.bias.copy_(given[prefix + "self_attn.projection.bias"])
            for name in ("layer_norm1", "layer_norm2", "mlp.fc1", "mlp.fc2"):
                for kind in ("weight", "bias"):
                    block.get_parameter(f"{name}.{kind}").copy_(given[f"{prefix}{name}.{kind}"])
        for block in vision.encoder.layers[GIVEN:]:
            block.layer_norm1.weight.copy_(given["post_layernorm.weight"])
            block.layer_norm1.bias.copy_(given["post_layernorm.bias"])
            block.self_attn.out_proj.weight.mul_(0.5)
            block.mlp.fc2.weight.mul_(0.5)
        self.post = given["post_layernorm.weight"], given["post_layernorm.bias"]

    def fit_norm(self, pixels):
        """The norm before the first block, as near to none as least squares can make it."""
        vision = self.clip.vision_model
        with torch.no_grad():
            x = vision.embeddings(pixels).flatten(0, 1)
            n = F.layer_norm(x, x.shape[-1:], eps=1e-5)
            mean_n, mean_x = n.mean(0), x.mean(0)
            slope = ((n - mean_n) * (x - mean_x)).mean(0) / (n - mean_n).square().mean(0)
            vision.pre_layrnorm.weight.copy_(slope)
            vision.pre_layrnorm.bias.copy_(mean_x - slope * mean_n)

    def given(self, pixels, norm=True):
        """[B, 3, 160, 160] -> what the given blocks make of it [B, 101, 192]."""
        vision = self.clip.vision_model
        x = vision.embeddings(pixels)
        return blocks(vision.encoder.layers[:GIVEN], vision.pre_layrnorm(x) if norm else x)

    def gather(self, hidden):
        """-> the class token after the last norm [B, 192]."""
        vision = self.clip.vision_model
        hidden = blocks(vision.encoder.layers[GIVEN:], hidden)
        return vision.post_layernorm(hidden[:, 0])

    def picture(self, gathered):
        return F.normalize(self.clip.visual_projection(gathered).float(), dim=-1)

    def text(self, rows):
        """Lists of ids -> [N, 128]. What follows the end token cannot matter: the mask is causal,
        so rows are filled up with it, and read in groups of like length."""
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        end, groups, size = self.clip.config.text_config.eos_token_id, [], (len(rows) + 5) // 6
        for first in range(0, len(rows), size):
            chosen = [rows[i] for i in order[first: first + size]]
            longest = max(map(len, chosen))
            ids = torch.tensor([r + [end] * (longest - len(r)) for r in chosen])
            groups.append(self.clip.text_model(input_ids=ids).pooler_output)
        pooled = torch.cat(groups)[torch.argsort(torch.tensor(order))]
        return F.normalize(self.clip.text_projection(pooled).float(), dim=-1)


def blocks(layers, hidden):
    for layer in layers:
        hidden = layer(hidden, attention_mask=None)
        hidden = hidden[0] if isinstance(hidden, tuple) else hidden
    return hidden


def contrast(scale, pictures, texts, fits):
    """Both cross-entropies; `fits` [pictures, texts] may have several that are right. Texts after
    the first len(pictures) only mislead."""
    logits = scale.exp() * pictures @ texts.t()
    own = fits[:, : len(pictures)]
    by_picture = fits / fits.sum(1, keepdim=True)
    by_text = own / own.sum(0, keepdim=True)
    loss = -(by_picture * logits.log_softmax(1)).sum(1).mean() / 2
    loss = loss - (by_text * logits[:, : len(pictures)].log_softmax(0)).sum(0).mean() / 2
    with torch.no_grad():
        chosen = logits.argmax(1)
        right = (fits.gather(1, chosen[:, None]) > 0).float().mean().item()
        misled = (chosen >= len(pictures)).float().mean().item()
    return loss, {"right": right, "misled": misled}


def naming(out, labels):
    """labels [B, ranks, 5], -100 where there is nothing to say."""
    out = out.float().unflatten(-1, (RANKS, sum(RANK_FACTS))).split(RANK_FACTS, -1)
    loss, facts = 0, {}
    for k, (scores, name) in enumerate(zip(out, ("color", "shape", "size", "x", "y"))):
        wanted = labels[..., k]
        loss = loss + F.cross_entropy(scores.flatten(0, 1), wanted.flatten(), ignore_index=-100)
        there = wanted > 0 if k < 3 else wanted >= 0
        facts[name] = (scores.argmax(-1) == wanted)[there].float().mean().item()
    return loss / 5, facts
