"""The network: the modules of transformers' BLIP-2, under the published names, and the losses."""
import math, os, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
import torch.distributed as distributed
from transformers import Blip2Config, Blip2QFormerConfig, Blip2VisionConfig, OPTConfig, OPTForCausalLM
from transformers.models.blip_2.modeling_blip_2 import (
    Blip2QFormerModel, Blip2TextEmbeddings, Blip2VisionModel)
from worlds import (
    BINS, COLORS, INPUT, PATCHES, QUERIES, SHAPES, SIDE, coordinate, likely_slots, patch_owners)

VISION = dict(hidden_size=192, intermediate_size=768, num_hidden_layers=6, num_attention_heads=3,
              image_size=INPUT, patch_size=16, hidden_act="gelu", layer_norm_eps=1e-6,
              qkv_bias=True)
QFORMER = dict(hidden_size=192, intermediate_size=768, num_hidden_layers=4, num_attention_heads=3,
               hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
               max_position_embeddings=64, cross_attention_frequency=2, encoder_hidden_size=192,
               pad_token_id=0)
LANGUAGE = dict(hidden_size=256, word_embed_proj_dim=256, num_hidden_layers=4, ffn_dim=768,
                num_attention_heads=4, max_position_embeddings=256, do_layer_norm_before=True,
                activation_function="relu", dropout=0.0, attention_dropout=0.0, layerdrop=0.0)


def configuration(tokens, matching):
    """The published configuration; `matching` tells the size of the matching vocabulary."""
    text = OPTConfig(vocab_size=tokens.count, pad_token_id=tokens.pad, bos_token_id=tokens.begin,
                     eos_token_id=tokens.end, **LANGUAGE)
    return Blip2Config(
        vision_config=Blip2VisionConfig(**VISION).to_dict(),
        qformer_config=Blip2QFormerConfig(
            vocab_size=matching, use_qformer_text_input=True, **QFORMER).to_dict(),
        text_config=text.to_dict(), num_query_tokens=QUERIES, image_token_index=tokens.image,
        image_text_hidden_size=64)


class Network(nn.Module):
    """Both published models at once: generation and image-text retrieval share towers."""

    def __init__(self, config, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.config = config
        text, query = config.text_config, config.qformer_config
        self.vision_model = Blip2VisionModel._from_config(config.vision_config)
        self.vision_model.set_attn_implementation("eager")   # faster here on a processor
        self.qformer = Blip2QFormerModel._from_config(query)
        self.embeddings = Blip2TextEmbeddings(query)
        self.query_tokens = nn.Parameter(torch.randn(1, QUERIES, query.hidden_size) * 0.5)
        self.language_projection = nn.Linear(query.hidden_size, text.hidden_size)
        self.language_model = OPTForCausalLM._from_config(text)
        self.vision_projection = nn.Linear(query.hidden_size, config.image_text_hidden_size)
        self.text_projection = nn.Linear(query.hidden_size, config.image_text_hidden_size)
        self.itm_head = nn.Linear(query.hidden_size, 2)
        with torch.no_grad():
            for module in [*self.language_model.modules(), *self.qformer.modules(),
                           *self.vision_model.modules()]:
                if isinstance(module, nn.Linear):
                    module.weight.normal_(0, 0.6 / math.sqrt(module.in_features))
            self.embeddings.word_embeddings.weight.normal_(0, 0.5)
            self.embeddings.position_embeddings.weight.normal_(0, 0.2)
            self.see_waves()

    def see_waves(self):
        """Starts the vision tower with eyes: cosine waves as patch embedding, sines as places."""
        embeddings = self.vision_model.embeddings
        width = self.config.vision_config.hidden_size
        t = (np.arange(16) + 0.5) * math.pi / 16
        waves = [np.cos(k * t) * math.sqrt((1 if k == 0 else 2) / 16) for k in range(16)]
        hues = np.array([[1, 1, 1], [1, -1, 0], [1, 1, -2]]) / np.sqrt([[3], [2], [6]])
        order = sorted(((u + v, h, u, v) for h in range(3) for u in range(16) for v in range(16)),
                       key=lambda e: (e[0] + (0 if e[1] == 0 else 3), e[1], e[2]))
        kernels = [np.einsum("c,y,x->cyx", hues[h], waves[u], waves[v]) * 0.03 * (1 + s)
                   for s, h, u, v in order[:width]]
        embeddings.patch_embedding.weight.copy_(torch.from_numpy(np.stack(kernels)).float())
        embeddings.patch_embedding.bias.zero_()
        place = torch.zeros(PATCHES, PATCHES, width)
        line = torch.arange(PATCHES).float()
        quarter = width // 4
        speed = 1.5 / (10 ** (torch.arange(quarter) / quarter))
        angle = line[:, None] * speed
        wave = torch.cat([angle.sin(), angle.cos()], 1) * 0.3
        place[:, :, : 2 * quarter] = wave[:, None]
        place[:, :, 2 * quarter:] = wave[None]
        embeddings.position_embedding.zero_()
        embeddings.position_embedding[0, 1:] = place.reshape(-1, width)
        embeddings.class_embedding.normal_(0, 0.1)
        # Each head begins by attending to what is like itself, near and of the same colour: query
        # and key start as the same projection (Trockman and Kolter, 2023).
        heads = self.config.vision_config.num_attention_heads
        for layer in self.vision_model.encoder.layers:
            qkv, size = layer.self_attn.qkv.weight, width // heads
            base = torch.linalg.qr(torch.randn(width, width))[0] * 0.6
            for h in range(heads):
                rows = slice(h * size, (h + 1) * size)
                noise = torch.randn(2, size, width) * 0.3 / math.sqrt(width)
                qkv[:width][rows] = base[rows] + noise[0]
                qkv[width: 2 * width][rows] = base[rows] + noise[1]

    def see(self, pixels):
        """[B, 3, 160, 160] -> [B, 101, 192]"""
        return self.vision_model(pixels).last_hidden_state

    def query(self, seen, text=None, text_mask=None, queries=True):
        """The Q-Former. -> hidden states [B, queries + text, 192], cross-attention maps."""
        count = QUERIES if queries else 0
        parts = [self.query_tokens.expand(len(text if seen is None else seen), -1, -1)] * queries
        if text is not None:
            parts.append(self.embeddings(input_ids=text))
        hidden = self.qformer.layernorm(torch.cat(parts, 1))
        mask = None
        if text is not None:
            visible = torch.cat([torch.ones(len(text), count, dtype=torch.bool), text_mask], 1)
            mask = visible[:, None, None, :]
        maps = []
        for layer in self.qformer.encoder.layer:
            hidden = attend(layer.attention, hidden, hidden, mask)[0]
            asked, said = hidden[:, :count], hidden[:, count:]
            if queries:
                if layer.has_cross_attention:
                    asked, chances = attend(layer.crossattention, asked, seen, None, True)
                    maps.append(chances)
                asked = layer.feed_forward_chunk_query(asked)
            if text is not None:
                said = layer.feed_forward_chunk(said)
            hidden = torch.cat([asked, said], 1) if queries and text is not None else (
                asked if queries else said)
        return hidden, maps

    def speak(self, prefix, ids, segment, position):
        """Hidden states of packed texts after soft prompts [B, 16, 256]."""
        decoder = self.language_model.model.decoder
        b, count = len(ids), prefix.shape[1]
        hidden = torch.cat([prefix, decoder.embed_tokens(ids)], 1)
        place = torch.cat([torch.arange(count).expand(b, -1), position + count], 1)
        hidden = hidden + F.embedding(place + 2, decoder.embed_positions.weight)
        n = hidden.shape[1]
        mask = torch.zeros(b, n, n, dtype=torch.bool)
        mask[:, :count, :count] = torch.ones(count, count, dtype=torch.bool).tril()
        mask[:, count:, :count] = True
        mask[:, count:, count:] = segment[:, :, None] == segment[:, None, :]
        mask &= torch.ones(n, n, dtype=torch.bool).tril()
        bias = torch.zeros(b, 1, n, n).masked_fill(~mask[:, None], -1e4)
        for layer in decoder.layers:
            hidden = decode(layer, hidden, bias)
        return decoder.final_layer_norm(hidden)[:, count:]


def attend(block, hidden, memory, mask, maps=False):
    """BERT's attention with its output norm; with the mean map over heads where wanted."""
    inner = block.attention
    heads, size = inner.num_attention_heads, inner.attention_head_size

    def split(x):
        return x.view(len(x), -1, heads, size).transpose(1, 2)
    memory = memory.to(hidden.dtype)
    q, k, v = split(inner.query(hidden)), split(inner.key(memory)), split(inner.value(memory))
    chances = None
    if maps:
        probabilities = ((q @ k.transpose(-1, -2)) / math.sqrt(size)).float().softmax(-1)
        chances, context = probabilities.mean(1), probabilities.to(v.dtype) @ v
    else:
        context = F.scaled_dot_product_attention(q, k, v, mask)
    context = context.transpose(1, 2).reshape(hidden.shape[0], hidden.shape[1], -1)
    return block.output(context, hidden), chances


def decode(layer, hidden, bias):
    """One layer of OPT, written out: for short rows faster than the fused attention."""
    inner = layer.self_attn
    normal = layer.self_attn_layer_norm(hidden)

    def split(x):
        return x.view(len(x), -1, inner.num_heads, inner.head_dim).transpose(1, 2)
    q, k, v = split(inner.q_proj(normal)), split(inner.k_proj(normal)), split(inner.v_proj(normal))
    scores = (q * inner.head_dim ** -0.5) @ k.transpose(-1, -2)
    chances = (scores + bias.to(scores.dtype)).softmax(-1)
    context = (chances.to(v.dtype) @ v).transpose(1, 2).reshape(hidden.shape)
    hidden = hidden + inner.out_proj(context)
    normal = layer.final_layer_norm(hidden)
    return hidden + layer.fc2(layer.activation_fn(layer.fc1(normal)))


class Words:
    """The loss of the language model; numbers near the right one are half right."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.numbers = torch.tensor([tokens.encode(f"({20 * i}")[1] for i in range(BINS)])
        self.place = torch.full((tokens.count,), -1)
        self.place[self.numbers] = torch.arange(BINS)
        distance = (torch.arange(BINS)[:, None] - torch.arange(BINS)[None]).float()
        near = torch.exp(-distance ** 2 / (2 * 0.8 ** 2))
        self.near = near / near.sum(1, keepdim=True)
        ids = {k: torch.tensor([tokens.encode(" " + w)[0] for w in words]) for k, words in dict(
            color=COLORS, shape=SHAPES, yesno=["yes", "no"], count=["0", "1", "2", "3", "4"],
            size=["small", "large"], half=["left", "right", "top", "bottom"]).items()}
        self.groups = {**ids, "number": self.numbers}

    def loss(self, network, hidden, weight, label):
        chosen = weight > 0
        logits = network.language_model.lm_head(hidden[chosen]).float()
        target, weight = label[chosen], weight[chosen]
        chances = logits.log_softmax(-1)
        loss = -chances.gather(1, target[:, None])[:, 0]
        place = self.place[target]
        number = place >= 0
        soft = -(self.near[place[number]] * chances[number][:, self.numbers]).sum(-1)
        loss = loss.masked_scatter(number, soft)
        right = (logits.argmax(-1) == target)
        facts = {k: right[torch.isin(target, v)].float().mean().item()
                 for k, v in self.groups.items()}
        return (loss * weight).sum() / weight.sum(), facts


def parameters(modules, decay, rate=1.0):
    """Two groups: matrices with weight decay, everything else without."""
    matrices, others = [], []
    for module in modules:
        named = [("", module)] if isinstance(module, nn.Parameter) else module.named_parameters()
        for name, p in named:
            (matrices if p.ndim > 1 and name and "embed" not in name else others).append(p)
    return [dict(params=matrices, weight_decay=decay, rate=rate),
            dict(params=others, weight_decay=0.0, rate=rate)]


class Trainer:
    """Steps, learning rate (warm-up, constant, linear end), checkpoints to continue from.

    Several processes (RANK, WORLD_SIZE and so on in the environment) average their gradients: on a
    processor that is faster than one process with several threads.
    """

    def __init__(self, name, folder, modules, groups, rate, steps, warm=100, cool=0.25, clip=1.0):
        self.rank, self.world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        if self.world > 1:
            distributed.init_process_group("gloo")
        self.path = os.path.join(folder, name + ".pt")
        self.modules, self.rate, self.steps, self.warm, self.cool = modules, rate, steps, warm, cool
        self.optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
        self.all = [p for g in groups for p in g["params"]]
        self.clip, self.step, self.sums, self.began = clip, 0, {}, time.time()
        self.wish = os.path.join(folder, name + ".steps")   # a number here changes the end
        if os.path.exists(self.path):
            saved = torch.load(self.path)
            for key, module in modules.items():
                module.load_state_dict(saved[key])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.step = saved["step"]
            print("continues", self.path, "at", self.step, flush=True)

    def going(self):
        if self.step % 20 == 0:
            steps = torch.tensor(self.steps)
            if os.path.exists(self.wish):
                steps = torch.tensor(int(open(self.wish).read()))
            if self.world > 1:
                distributed.broadcast(steps, 0)
            self.steps = int(steps)
        return self.step < self.steps

    def learn(self, loss, facts, every=50, save=400):
        left = (self.steps - self.step) / (self.cool * self.steps)
        factor = min(1.0, (self.step + 1) / self.warm, max(0.02, left))
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * group["rate"] * factor
        self.optimizer.zero_grad()
        loss.backward()
        if self.world > 1:
            grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.all]
            flat = torch.cat([g.flatten() for g in grads])
            distributed.all_reduce(flat)
            flat /= self.world
            for p, g in zip(self.all, flat.split([p.numel() for p in self.all])):
                p.grad = g.view_as(p)
        nn.utils.clip_grad_norm_(self.all, self.clip)
        self.optimizer.step()
        self.step += 1
        for key, value in {"loss": loss.item(), **facts}.items():
            if value == value:
                total, n = self.sums.get(key, (0, 0))
                self.sums[key] = total + value, n + 1
        if self.step % every == 0 and self.rank == 0:
            means = " ".join(f"{k} {t / n:.3f}" for k, (t, n) in self.sums.items())
            print(f"{self.step}/{self.steps} {time.time() - self.began:.0f}s x{factor:.2f} {means}",
                  flush=True)
            self.sums = {}
        if self.rank == 0 and (self.step % save == 0 or self.step == self.steps):
            self.save()

    def save(self):
        states = {k: m.state_dict() for k, m in self.modules.items()}
        torch.save({**states, "optimizer": self.optimizer.state_dict(), "step": self.step},
                   self.path + ".part")
        os.replace(self.path + ".part", self.path)


# ---- what the towers are taught besides words

SHAPE_WEIGHTS = torch.tensor([0.25] + [1.0] * len(SHAPES))
COLOR_WEIGHTS = torch.tensor([0.25] + [1.0] * len(COLORS))
PATCH_FACTS = 6 + 9 + 2 + 4
PLACE = ((np.arange(PATCHES) + 0.5) / PATCHES).astype(np.float32)


def patch_labels(records, owners):
    """Per patch: shape, colour (0 none), size, and the distances to its object's four sides."""
    n = PATCHES * PATCHES
    shape, color = np.zeros((len(records), n), np.int64), np.zeros((len(records), n), np.int64)
    size = np.full((len(records), n), -100, np.int64)
    box, owned = np.zeros((len(records), n, 4), np.float32), []
    x, y = np.tile(PLACE, PATCHES), np.repeat(PLACE, PATCHES)
    for b, record in enumerate(records):
        own = patch_owners(owners[b])
        owned.append(own)
        for i, o in enumerate(record["objects"]):
            k = own == i
            shape[b, k] = -100 if o["shape"] is None else SHAPES.index(o["shape"]) + 1
            color[b, k] = -100 if o["color"] is None else COLORS.index(o["color"]) + 1
            if o["size"]:
                size[b, k] = int(o["size"] == "large")
            left, top, right, bottom = [v / SIDE for v in o["box"]]
            box[b, k] = np.stack([x[k] - left, y[k] - top, right - x[k], bottom - y[k]], 1)
    return [torch.from_numpy(v) for v in (shape, color, size, box)], owned


def patch_loss(head, seen, labels):
    shape, color, size, box = labels
    out = head(seen[:, 1:]).float()
    there = shape != 0
    loss = (F.cross_entropy(out[..., :6].flatten(0, 1), shape.flatten(), SHAPE_WEIGHTS)
            + F.cross_entropy(out[..., 6:15].flatten(0, 1), color.flatten(), COLOR_WEIGHTS)
            + 0.5 * F.cross_entropy(out[..., 15:17].flatten(0, 1), size.flatten())
            + 40 * F.smooth_l1_loss(out[..., 17:21][there], box[there], beta=0.02))
    with torch.no_grad():
        sized = size >= 0
        facts = {"p.shape": (out[..., :6].argmax(-1) == shape)[there].float().mean().item(),
                 "p.color": (out[..., 6:15].argmax(-1) == color)[there].float().mean().item(),
                 "p.size": (out[..., 15:17].argmax(-1) == size)[sized].float().mean().item(),
                 "p.box": (out[..., 17:21][there] - box[there]).abs().mean().item() * 1000}
    return loss, facts


NEAR = torch.exp(-(torch.arange(BINS)[:, None] - torch.arange(BINS)[None]).float() ** 2 / 1.3)
NEAR = NEAR / NEAR.sum(1, keepdim=True)


def assign(out, records):
    """The query that answers for each object, per record."""
    with torch.no_grad():
        color = out[..., :9].log_softmax(-1).tolist()
        box = out[..., 17:].unflatten(-1, (4, BINS)).softmax(-1)
        where = (box * torch.arange(BINS)).sum(-1).tolist()
    places = []
    for b, record in enumerate(records):
        def says(k, o):
            name = o["color"]
            known = color[b][k][COLORS.index(name) + 1] if name else -color[b][k][0]
            off = sum(abs(w - coordinate(v)) for w, v in zip(where[b][k], o["box"]))
            return known - 0.1 * off
        places.append(likely_slots(record["objects"], says))
    return places


def slot_loss(out, labels, calibrated=False):
    """What each query says about the object in its cell."""
    there = (labels[..., 3] >= 0)
    # At first "nobody" weighs a quarter, or queries would say nothing else; later the chance that
    # an object is there must be right, or counting cannot be.
    loss = (F.cross_entropy(out[..., :9].flatten(0, 1), labels[..., 0].flatten(),
                            None if calibrated else COLOR_WEIGHTS)
            + F.cross_entropy(out[..., 9:15].flatten(0, 1), labels[..., 1].flatten(),
                              None if calibrated else SHAPE_WEIGHTS)
            + 0.5 * F.cross_entropy(out[..., 15:17].flatten(0, 1), labels[..., 2].flatten()))
    places = out[..., 17:][there].view(-1, 4, BINS).log_softmax(-1)
    target = labels[..., 3:][there]
    if calibrated:   # and the mean of the guessed places is right to a few thousandths
        mean = (places.exp() * torch.arange(BINS)).sum(-1)
        loss = loss + 20 * F.smooth_l1_loss(mean / BINS, target / BINS, beta=0.02)
    loss = loss - (1.2 if calibrated else 0.6) * (NEAR[target] * places).sum(-1).mean()
    with torch.no_grad():
        right = [(out[..., a:b].argmax(-1) == labels[..., i])[there].float().mean().item()
                 for i, (a, b) in enumerate([(0, 9), (9, 15)])]
        none = (out[..., :9].argmax(-1) == 0)[~there].float().mean().item()
        off = (places.argmax(-1) - target).abs().float().mean().item() * 20
    return loss, {"s.color": right[0], "s.shape": right[1], "s.none": none, "s.box": off}


CELLS = torch.zeros(QUERIES, PATCHES * PATCHES, dtype=torch.bool)
for _k in range(QUERIES):
    for _p in range(PATCHES * PATCHES):
        _x, _y = _p % PATCHES + 0.5, _p // PATCHES + 0.5
        CELLS[_k, _p] = abs(_x - (_k % 4 + 0.5) * 2.5) <= 1.5 and abs(_y - (_k // 4 + 0.5) * 2.5) <= 1.5


def look_loss(maps, places, owned):
    """Each query that answers for an object looks at it; the others at their own cell."""
    allowed = CELLS[None].repeat(len(places), 1, 1)
    weight = torch.full((len(places), QUERIES), 0.05)
    for b, place in enumerate(places):
        for i, s in enumerate(place):
            own = torch.from_numpy(owned[b] == i)
            if own.any():
                allowed[b, s], weight[b, s] = own, 1.0
    loss = 0
    for m in maps:
        mass = (m[..., 1:] * allowed).sum(-1)
        loss = loss - (weight * torch.log(mass + 1e-4)).sum() / weight.sum()
    return loss / len(maps), {"look": mass[weight == 1].mean().item()}
