"""The small Qwen-VL: the published maths in plain PyTorch, under the published names.

`python qwen_network.py FOLDER` compares it with a trace of the published implementation in FOLDER:
model.safetensors, config.json, trace.safetensors, expected.json.
"""
import json, math, os, sys
import torch, torch.nn as nn, torch.nn.functional as F
from safetensors import safe_open

TOWER = os.path.join(os.path.dirname(__file__), "../../Sources/Models/Resources/Default",
                     "towers.safetensors")
ROWS, GRID = 256, 16      # rows a picture, on a grid of 16 x 16


def configuration(vocabulary, image_start):
    """config.json, with the published keys."""
    return dict(
        architectures=["QWenLMHeadModel"], attn_dropout_prob=0.0, bf16=False, emb_dropout_prob=0.0,
        fp16=True, fp32=False, hidden_size=256, initializer_range=0.02, intermediate_size=768,
        kv_channels=64, layer_norm_epsilon=1e-6, max_position_embeddings=8192, model_type="qwen",
        no_bias=True, num_attention_heads=4, num_hidden_layers=7, onnx_safe=None,
        rotary_emb_base=10000, rotary_pct=1.0, scale_attn_weights=True, seq_length=2048,
        tie_word_embeddings=False, tokenizer_type="QWenTokenizer", torch_dtype="float16",
        transformers_version="4.32.0", use_cache=True, use_dynamic_ntk=True, use_flash_attn=False,
        use_logn_attn=True,
        visual=dict(heads=3, image_size=160, image_start_id=image_start, layers=6, mlp_ratio=4.0,
                    output_dim=256, patch_size=16, width=192),
        vocab_size=vocabulary)


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + self.eps)
        return y.to(x.dtype) * self.weight


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.size = c["num_attention_heads"], c["kv_channels"]
        inner = self.heads * self.size
        self.c_attn = nn.Linear(c["hidden_size"], 3 * inner)
        self.c_proj = nn.Linear(inner, c["hidden_size"], bias=False)


class Gated(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, inner = c["hidden_size"], c["intermediate_size"] // 2
        self.w1 = nn.Linear(width, inner, bias=False)
        self.w2 = nn.Linear(width, inner, bias=False)
        self.c_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.c_proj(self.w1(x) * F.silu(self.w2(x)))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.ln_1 = RMSNorm(c["hidden_size"], c["layer_norm_epsilon"])
        self.attn = Attention(c)
        self.ln_2 = RMSNorm(c["hidden_size"], c["layer_norm_epsilon"])
        self.mlp = Gated(c)

    def forward(self, x, turn, mask, cache=None):
        """`turn` is (cosine, sine) [B, 1, T, size], `mask` what is added to scores; `cache` is
        (keys, values) of what came before."""
        b, n, _ = x.shape
        q, k, v = self.attn.c_attn(self.ln_1(x)).view(
            b, n, 3, self.attn.heads, self.attn.size).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, turn), rotate(k, turn)
        self.looks = q, k    # what a training asks of them
        if cache is not None:
            k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
        y = attend(q, k, v, mask)
        x = x + self.attn.c_proj(y.transpose(1, 2).reshape(b, n, -1))
        return x + self.mlp(self.ln_2(x)), (k, v)


def attend(q, k, v, mask=None):
    """Written out: for short rows its gradient is faster than the fused attention's."""
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        scores = scores + mask
    return scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v


def rotate(x, turn):
    cosine, sine = turn
    first, second = x.chunk(2, -1)
    return (x * cosine + torch.cat([-second, first], -1) * sine).to(x.dtype)


class Attend(nn.Module):
    """Attention of the picture tower; query, key and value stand together for each head."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.in_proj, self.out_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        b, n, width = x.shape
        q, k, v = self.in_proj(x).view(b, n, self.heads, -1).transpose(1, 2).chunk(3, -1)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(y.transpose(1, 2).reshape(b, n, width))


class Looking(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attn = Attend(width, heads)
        self.mlp = nn.Module()
        self.mlp.c_fc = nn.Linear(width, int(width * ratio))
        self.mlp.c_proj = nn.Linear(int(width * ratio), width)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x))))


def table(width, grid=GRID):
    """The fixed sines and cosines of the resampler: columns first, then rows."""
    speed = 1 / 10000 ** (torch.arange(width // 4).double() / (width // 4))
    angle = torch.arange(grid).double()[:, None] * speed
    line = torch.cat([angle.sin(), angle.cos()], 1)
    both = torch.cat([line[None].expand(grid, -1, -1), line[:, None].expand(-1, grid, -1)], -1)
    return both.reshape(grid * grid, width).float()


def interpolated(rows, count):
    """[256, width] on 16 x 16 -> [count, width], as published."""
    side = math.isqrt(count)
    if count == len(rows):
        return rows
    square = rows.float().view(1, GRID, GRID, -1).permute(0, 3, 1, 2)
    square = F.interpolate(square, size=(side, side), mode="bicubic", align_corners=False)
    return square.permute(0, 2, 3, 1).flatten(0, 2).to(rows.dtype)


class Resampler(nn.Module):
    def __init__(self, width, output):
        super().__init__()
        self.query = nn.Parameter(torch.randn(ROWS, output) * 0.02)
        self.register_buffer("pos_embed", table(output))
        self.kv_proj = nn.Linear(width, output, bias=False)
        self.attn = nn.MultiheadAttention(output, output // 128)
        self.ln_q, self.ln_kv = nn.LayerNorm(output, 1e-6), nn.LayerNorm(output, 1e-6)

    def forward(self, x, chosen=None):
        """[B, patches, width] -> [B, 256, output], or the rows `chosen` [B, R] of them."""
        x = self.ln_kv(self.kv_proj(x))
        q = self.ln_q(self.query) + self.pos_embed
        k = x + interpolated(self.pos_embed, x.shape[1])
        wq, wk, wv = self.attn.in_proj_weight.chunk(3)
        bq, bk, bv = self.attn.in_proj_bias.chunk(3)
        q, k, v = F.linear(q, wq, bq), F.linear(k, wk, bk), F.linear(x, wv, bv)
        q = q[None].expand(len(x), -1, -1) if chosen is None else q[chosen]
        heads = self.attn.num_heads

        def split(t):
            return t.unflatten(-1, (heads, -1)).transpose(1, 2)
        y = attend(split(q), split(k), split(v))
        return self.attn.out_proj(y.transpose(1, 2).flatten(2))


class Visual(nn.Module):
    def __init__(self, v):
        super().__init__()
        width, output = v["width"], v["output_dim"]
        self.conv1 = nn.Conv2d(3, width, v["patch_size"], v["patch_size"], bias=False)
        self.positional_embedding = nn.Parameter(torch.randn(ROWS, width) * width ** -0.5)
        self.ln_pre = nn.LayerNorm(width, 1e-6)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(
            Looking(width, v["heads"], v["mlp_ratio"]) for _ in range(v["layers"]))
        self.attn_pool = Resampler(width, output)
        self.ln_post = nn.LayerNorm(output, 1e-6)
        self.proj = nn.Parameter(torch.randn(output, output) * output ** -0.5)

    def patches(self, pixels):
        x = self.conv1(pixels).flatten(2).transpose(1, 2)
        return x + interpolated(self.positional_embedding, x.shape[1])

    def see(self, pixels):
        """[B, 3, side, side] -> [B, patches, width]"""
        x = self.ln_pre(self.patches(pixels))
        for block in self.transformer.resblocks:
            x = block(x)
        return x

    def tell(self, seen, chosen=None):
        """-> the rows that the language model reads."""
        return self.ln_post(self.attn_pool(seen, chosen)) @ self.proj


class Network(nn.Module):
    def __init__(self, config, seed=0):
        super().__init__()
        torch.manual_seed(seed)
        self.config = config
        width = config["hidden_size"]
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(config["vocab_size"], width)
        self.transformer.h = nn.ModuleList(
            Block(config) for _ in range(config["num_hidden_layers"]))
        self.transformer.ln_f = RMSNorm(width, config["layer_norm_epsilon"])
        self.transformer.visual = Visual(config["visual"])
        self.lm_head = nn.Linear(width, config["vocab_size"], bias=False)
        with torch.no_grad():
            for block in self.transformer.h:
                for module in block.modules():
                    if isinstance(module, nn.Linear):
                        module.weight.normal_(0, 0.6 / math.sqrt(module.in_features))
                        if module.bias is not None:
                            module.bias.zero_()
            self.transformer.wte.weight.normal_(0, 0.3)
            self.lm_head.weight.normal_(0, 0.6 / math.sqrt(width))
        size = config["kv_channels"]
        speed = 1 / config["rotary_emb_base"] ** (torch.arange(0, size, 2).float() / size)
        angle = torch.arange(config["seq_length"]).float()[:, None] * speed
        self.angles = torch.cat([angle, angle], 1)

    @property
    def visual(self):
        return self.transformer.visual

    def turn(self, position):
        angle = self.angles[position][:, None]
        return angle.cos(), angle.sin()

    def speak(self, x, position, mask, caches=None):
        """Embedded tokens and rows -> hidden states, caches."""
        turn, kept = self.turn(position), []
        if torch.is_autocast_enabled("cpu"):
            turn = tuple(t.bfloat16() for t in turn)
            x = x.bfloat16()
        if mask is not None:
            mask = mask.to(x.dtype)
        for number, block in enumerate(self.transformer.h):
            x, cache = block(x, turn, mask, caches[number] if caches else None)
            kept.append(cache)
            if number == 1:
                self.middle = x    # what a training asks the rows of a picture
            if number == 2:
                self.later = x     # and the places where an answer begins
        return self.transformer.ln_f(x), kept

    def forward(self, ids, pixels):
        """The published forward of one text with its pictures."""
        start = self.config["visual"]["image_start_id"]
        x = self.transformer.wte(ids).clone()
        rows = self.visual.tell(self.visual.see(pixels))
        for row, place in zip(rows, (ids[0] == start).nonzero()[:, 0].tolist()):
            x[0, place + 1: place + 1 + ROWS] = row
        n = ids.shape[1]
        mask = torch.full((n, n), float("-inf")).triu(1)[None, None]
        return self.lm_head(self.speak(x, torch.arange(n)[None], mask)[0])

    # ---- the tower that is given

    @torch.no_grad()
    def take_tower(self):
        """The patches, places and blocks of the BLIP-2 that ships.

        There is no class token here, and the patch bias becomes part of the places. The 256 rows of
        places are the smallest whose interpolation gives the tower's 100. The norm before the first
        block is what cannot be taken: `fit_norm`.
        """
        visual = self.visual
        with safe_open(TOWER, "pt") as file:
            given = {k.removeprefix("vision_model."): file.get_tensor(k).float()
                     for k in file.keys() if k.startswith("vision_model.")}
        visual.conv1.weight.copy_(given["embeddings.patch_embedding.weight"])
        places = given["embeddings.position_embedding"][0, 1:]
        places = places + given["embeddings.patch_embedding.bias"]
        shrink = interpolated(torch.eye(ROWS), len(places)).double()
        visual.positional_embedding.copy_(torch.linalg.pinv(shrink) @ places.double())
        for number, block in enumerate(visual.transformer.resblocks):
            prefix = f"encoder.layers.{number}."

            def get(name):
                return given[prefix + name]
            heads = block.attn.heads
            for kind in ("weight", "bias"):
                three = get(f"self_attn.qkv.{kind}").unflatten(0, (3, heads, -1))
                getattr(block.attn.in_proj, kind).copy_(three.transpose(0, 1).flatten(0, 2))
                getattr(block.attn.out_proj, kind).copy_(get(f"self_attn.projection.{kind}"))
                getattr(block.ln_1, kind).copy_(get(f"layer_norm1.{kind}"))
                getattr(block.ln_2, kind).copy_(get(f"layer_norm2.{kind}"))
                getattr(block.mlp.c_fc, kind).copy_(get(f"mlp.fc1.{kind}"))
                getattr(block.mlp.c_proj, kind).copy_(get(f"mlp.fc2.{kind}"))

    @torch.no_grad()
    def fit_norm(self, pixels):
        """The norm before the first block, as near to none as least squares can make it."""
        norm = self.visual.ln_pre
        x = self.visual.patches(pixels).flatten(0, 1)
        n = F.layer_norm(x, x.shape[-1:], eps=1e-6)
        mean_n, mean_x = n.mean(0), x.mean(0)
        slope = ((n - mean_n) * (x - mean_x)).mean(0) / (n - mean_n).square().mean(0)
        norm.weight.copy_(slope)
        norm.bias.copy_(mean_x - slope * mean_n)


def compare(folder):
    """How far this is from a trace of the published implementation."""
    torch.set_num_threads(1)
    config = json.load(open(os.path.join(folder, "config.json")))
    network = Network(config)
    with safe_open(os.path.join(folder, "model.safetensors"), "pt") as file:
        network.load_state_dict({k: file.get_tensor(k).float() for k in file.keys()})
    expected = json.load(open(os.path.join(folder, "expected.json")))
    with safe_open(os.path.join(folder, "trace.safetensors"), "pt") as file, torch.no_grad():
        ids, pixels = file.get_tensor("inputs.input_ids"), file.get_tensor("inputs.pixel_values")

        def check(name, mine):
            known = file.get_tensor(name)
            off = ((mine.reshape(known.shape) - known).abs().max() / known.abs().max()).item()
            print(f"{name:24} {off:.2e}")
            return off < 1e-4
        seen = network.visual.see(pixels)
        fine = check("transformer.visual.transformer", seen)
        fine &= check("transformer.visual", network.visual.tell(seen))
        logits = network(ids, pixels)
        fine &= check("logits", logits[:, -1:])
        answer = []
        for _ in expected["greedy"]:
            answer.append(int(logits[0, -1].argmax()))
            ids = torch.cat([ids, torch.tensor([[answer[-1]]])], 1)
            logits = network(ids, pixels)
        print("greedy", "equal" if answer == expected["greedy"] else answer)
        return fine and answer == expected["greedy"]


if __name__ == "__main__":
    sys.exit(0 if compare(sys.argv[1]) else 1)
