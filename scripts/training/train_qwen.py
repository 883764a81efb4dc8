"""The small Qwen-VL.

    train_qwen.py see FOLDER             what the given tower makes of some thousand scenes, once
    train_qwen.py learn FOLDER STEPS     the rest learns dialogues on that
    train_qwen.py measure FOLDER COUNT   answers on scenes that are only measured

FOLDER holds qwen.tiktoken. The tower is frozen and what it says of a patch is read by a linear map,
so the language model begins with rows of known meaning: see `stitch`.
"""
import argparse, collections, functools, json, math, os, random, re, signal, sys, time
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from network import patch_labels
from qwen_network import GRID, ROWS, Network, configuration, interpolated
from qwen_words import NEAR_DIGITS, Pack, QwenTokens, packed, prefix
from worlds import COLORS, PATCHES, SHAPES, SIDE, SIZES, Stream, pixel_values, resized

HELD_OUT = 900_000_000
TOKENS, WIDTH = PATCHES * PATCHES, 192
# Scenes of one, two and three objects: how many of each, and their first seed. Of pairs the second is
# the next scene, so those come from scenes of any number: else neither picture ever had more.
WORLDS = [("1-1", 2048, 200_000_000), ("2-2", 8192, 210_000_000), ("3-3", 20480, 220_000_000),
          ("1-3", 8192, 230_000_000)]
DRAWN = 6     # dialogues of each kind and language in a record
NAMES = {  # what each attribute is called
    "red": "red 红色", "green": "green 绿色", "blue": "blue 蓝色", "yellow": "yellow 黄色",
    "black": "black 黑色", "gray": "gray 灰色", "brown": "brown 棕色", "teal": "teal 青色",
    "circle": "circle circles 圆形", "rectangle": "rectangle rectangles 矩形",
    "triangle": "triangle triangles 三角形", "star": "star stars 星形",
    "cross": "cross crosses 十字", "small": "small 小的", "large": "large 大的"}


def make(folder):
    """Tokens and the network as it begins: the tower is taken over, the rest is stitched."""
    tokens = QwenTokens(folder)
    network = Network(configuration(tokens.count, tokens.image), seed=7)
    network.take_tower()
    path = os.path.join(folder, "norm.pt")
    if not os.path.exists(path):
        stream = Stream(5, "crowded")
        network.fit_norm(pixel_values([resized(next(stream)[1]) for _ in range(64)]))
        stream.process.kill()
        torch.save(network.visual.ln_pre.state_dict(), path)
    network.visual.ln_pre.load_state_dict(torch.load(path))
    for p in [*network.visual.transformer.parameters(), network.visual.conv1.weight,
              network.visual.positional_embedding, *network.visual.ln_pre.parameters()]:
        p.requires_grad_(False)
    return tokens, network


# ---- pictures, seen once

class Seen:
    """What the tower made of scenes, and their records; may grow while it is read."""

    def __init__(self, folder, population):
        self.path = os.path.join(folder, f"seen-{population}")
        self.records, self.boxes, self.hidden = [], [], None
        self.offset = 0

    def refresh(self):
        if not os.path.exists(self.path + ".jsonl"):
            return
        with open(self.path + ".jsonl", "rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self.records.append(line)
        if self.records:
            self.hidden = np.memmap(self.path + ".bf16", np.int16, "r",
                                    shape=(len(self.records), TOKENS, WIDTH))

    def inputs(self, chosen):
        return torch.from_numpy(self.hidden[chosen]).view(torch.bfloat16)

    def record(self, index):
        return json.loads(self.records[index])


def compact(record):
    return {"seed": record["seed"], "objects": record["objects"],
            "dialogues": [[d["kind"], d["language"], [[t["question"], t["answer"], t["topic"]]
                                                      for t in d["turns"]]]
                          for d in record["dialogues"]]}


@torch.no_grad()
def look(network, pictures):
    with torch.autocast("cpu", torch.bfloat16):
        return network.visual.see(pixel_values(pictures)).bfloat16()


def see(folder):
    _, network = make(folder)
    for population, count, seed in WORLDS:
        path = os.path.join(folder, f"seen-{population}")
        done = sum(1 for _ in open(path + ".jsonl")) if os.path.exists(path + ".jsonl") else 0
        stream, began = Stream(seed + done, population, dialogues=DRAWN), time.time()
        with open(path + ".bf16", "ab") as seen, open(path + ".jsonl", "a") as records:
            seen.truncate(done * TOKENS * WIDTH * 2)
            while done < count:
                some = [next(stream)[:2] for _ in range(64)]
                hidden = look(network, [resized(p) for _, p in some])
                seen.write(hidden.contiguous().view(torch.int16).numpy().tobytes())
                seen.flush()
                records.write("".join(
                    json.dumps(compact(r), ensure_ascii=False) + "\n" for r, _ in some))
                records.flush()
                done += 64
        stream.process.kill()
        print(f"{population}: {done} seen, {time.time() - began:.0f} s", flush=True)


# ---- how it begins

@torch.no_grad()
def stitch(network, tokens, generator=None):
    """The resampler begins as a window: each query looks at its own place, and what the tower says
    there becomes, by ridge regression, the sum of the vectors of a colour, a shape, a size and four
    edges. The words of both languages begin with the same vectors, keys like queries, and every head
    copies: so a word attends to the rows that it names, and takes what else they say, before anything
    is learned."""
    torch.manual_seed(11)
    width = network.config["hidden_size"]
    wte, head = network.transformer.wte.weight, network.lm_head.weight
    vectors = {}
    for name, words in NAMES.items():
        vectors[name] = torch.randn(width) * 0.3
        for word in words.split():
            for text in (word, " " + word, word.capitalize()):
                ids = tokens.encode(text)
                if len(ids) == 1:
                    wte[ids[0]] = vectors[name] + torch.randn(width) * 0.08
                    head[ids[0]] = vectors[name] * 0.12 + torch.randn(width) * 0.01
    nobody = torch.randn(width) * 0.3
    waves = torch.randn(4, 4, width) * torch.tensor([0.42, 0.34, 0.2, 0.14])[None, :, None]
    for block in network.transformer.h:
        attn = block.attn
        size = attn.heads * attn.size
        base = torch.linalg.qr(torch.randn(width, width))[0] * 0.5
        attn.c_attn.weight[:size] = base[:size] + torch.randn(size, width) * 0.3 / width ** 0.5
        attn.c_attn.weight[size: 2 * size] = (
            base[:size] + torch.randn(size, width) * 0.3 / width ** 0.5)
        base = torch.linalg.qr(torch.randn(width, width))[0]
        attn.c_attn.weight[2 * size:] = base[:size] * 0.6
        attn.c_proj.weight.copy_(base[:size].t() * 0.6)

    # The window.
    pool, output = network.visual.attn_pool, network.config["visual"]["output_dim"]
    half, heads = output // 2, pool.attn.num_heads
    lines = [pool.pos_embed.view(GRID, GRID, -1)[0, :, :half].double()]
    small = interpolated(pool.pos_embed, TOKENS).view(PATCHES, PATCHES, -1)
    lines.append(small[0, :, :half].double())
    _, strength, basis = torch.linalg.svd(torch.cat(lines))
    basis = basis[: int((strength > 1e-4 * strength[0]).sum())].float()
    taken = torch.zeros(2 * len(basis) + 1, output)
    taken[: len(basis), :half], taken[len(basis): -1, half:], taken[-1] = basis, basis, 1
    free = torch.linalg.svd(taken)[2][len(taken):]
    content, spare = free[:WIDTH].t(), free[WIDTH]
    pool.kv_proj.weight.copy_(content @ (torch.eye(WIDTH) - 1 / WIDTH))

    def solve(line, values):
        inverse = torch.linalg.pinv(line, rtol=1e-3)
        return (inverse @ values.double()).t().float()
    where = (torch.arange(PATCHES) - (PATCHES - 1) / 2)
    u = (torch.arange(GRID) + 0.5) * PATCHES / GRID - PATCHES / 2
    sharp, scale = 6.0, math.sqrt(output / heads)
    keys = solve(lines[1], torch.stack([where, where ** 2], 1))
    queries = solve(lines[0], torch.stack([2 * sharp * scale * u], 1))
    wq, wk, wv = pool.attn.in_proj_weight.chunk(3)
    bq = pool.attn.in_proj_bias[:output]
    pool.attn.in_proj_bias.zero_(), wq.normal_(0, 0.002), wk.normal_(0, 0.002)
    for h in range(heads):
        for axis in range(2):
            at, part = h * output // heads + 2 * axis, slice(axis * half, (axis + 1) * half)
            wq[at: at + 2], wk[at: at + 2] = 0, 0
            wq[at, part], bq[at + 1] = queries[0], -sharp * scale
            wk[at: at + 2, part] = keys
    pool.ln_q.weight.fill_(0.001)
    wv.copy_(torch.eye(output)), pool.attn.out_proj.weight.copy_(torch.eye(output))
    pool.attn.out_proj.bias.zero_()

    # What the rows say.
    stream = Stream(230_000_000, "1-3")
    xx = torch.zeros(WIDTH + 1, WIDTH + 1, dtype=torch.double)
    xy = torch.zeros(WIDTH + 1, width, dtype=torch.double)
    line = (torch.arange(PATCHES) + 0.5) / PATCHES
    middle = torch.stack([line.repeat(PATCHES), line.repeat_interleave(PATCHES)], 1)
    for _ in range(10):
        items = [next(stream) for _ in range(64)]
        seen = look(network, [resized(i[1]) for i in items]).float()
        shape, color, size, box = patch_labels([i[0] for i in items], [i[2] for i in items])[0]
        there = (shape > 0).float()[..., None]
        edges = torch.cat([middle - box[..., :2], middle + box[..., 2:]], -1)
        turns = torch.cos(edges[..., None] * math.pi * torch.arange(1, 5))
        y = torch.stack([vectors[c] for c in COLORS])[(color - 1).clamp(0)]
        y = y + torch.stack([vectors[s] for s in SHAPES])[(shape - 1).clamp(0)]
        y = y + torch.stack([vectors[s] for s in SIZES])[size.clamp(0)]
        y = y + torch.einsum("bpek,ekw->bpw", turns, waves)
        y = there * y + (1 - there) * nobody
        x = F.layer_norm(seen, (WIDTH,))
        x = torch.cat([x, torch.ones(*x.shape[:2], 1)], -1).flatten(0, 1)
        weight = 1 + 4 * there.flatten(0, 1)
        xx += ((x * weight).t() @ x).double()
        xy += ((x * weight).t() @ y.flatten(0, 1)).double()
    stream.process.kill()
    answer = torch.linalg.solve(xx + 0.5 * torch.eye(WIDTH + 1), xy).float()
    off = ((x @ answer - y.flatten(0, 1)) ** 2)[weight[:, 0] > 1].sum()
    all_ = y.flatten(0, 1)[weight[:, 0] > 1]
    print(f"stitched: {1 - off / ((all_ - all_.mean(0)) ** 2).sum():.3f} of the variance on objects")
    network.visual.proj.copy_(content @ answer[:-1] * math.sqrt(WIDTH / output)
                              + spare[:, None] * answer[-1])
    network.visual.ln_post.bias.copy_(spare)
    rows = network.visual.tell(seen)
    cell = (torch.arange(GRID) + 0.5) / GRID * PATCHES
    near = (cell.long()[:, None] * PATCHES + cell.long()).flatten()
    wanted = (x @ answer).view(64, TOKENS, -1)[:, near]
    off = ((rows - wanted) ** 2).sum() / ((wanted - wanted.mean((0, 1))) ** 2).sum()
    print(f"the window: {1 - off:.3f} of the variance", flush=True)


# ---- dialogues on pictures

KINDS = ["single", "followUp", "pair", "ground", "describe"]


def choose_rows(objects, count, chooser):
    """Some of the 256 rows: a few on every object, the others anywhere; in their order."""
    if count >= ROWS:
        return np.arange(ROWS)
    chosen = set()
    x = (np.arange(GRID) + 0.5) * SIDE / GRID
    for o in objects:
        left, top, right, bottom = o["box"]
        dx, dy = (right - left) * 0.15, (bottom - top) * 0.15
        inside = ((x > left + dx) & (x < right - dx))[None] & (
            (x > top + dy) & (x < bottom - dy))[:, None]
        places = np.flatnonzero(inside)
        chosen.update(chooser.sample(places.tolist(), min(len(places), chooser.randint(4, 8))))
    rest = [i for i in range(ROWS) if i not in chosen]
    while len(chosen) > count:
        chosen.discard(chooser.choice(sorted(chosen)))
    chosen.update(chooser.sample(rest, max(0, count - len(chosen))))
    return np.array(sorted(chosen))


def row_labels(objects, chosen):
    """Where the edges of the object under each row are, in fiftieths; -1 where there is none."""
    labels = np.full((len(chosen), 4), -1, np.int64)
    x, y = (chosen % GRID + 0.5) * SIDE / GRID, (chosen // GRID + 0.5) * SIDE / GRID
    for o in objects:
        left, top, right, bottom = o["box"]
        dx, dy = (right - left) * 0.15, (bottom - top) * 0.15
        inside = (x > left + dx) & (x < right - dx) & (y > top + dy) & (y < bottom - dy)
        labels[inside] = [min(PLACES - 1, v * PLACES // SIDE) for v in o["box"]]
    return labels


def row_words(objects, chosen):
    """Which of WORDS are true of the object under each row; none where there is none."""
    words = np.zeros((len(chosen), len(WORDS)), np.float32)
    x, y = (chosen % GRID + 0.5) * SIDE / GRID, (chosen // GRID + 0.5) * SIDE / GRID
    for o in objects:
        left, top, right, bottom = o["box"]
        dx, dy = (right - left) * 0.15, (bottom - top) * 0.15
        inside = (x > left + dx) & (x < right - dx) & (y > top + dy) & (y < bottom - dy)
        words[inside] = [name in (o["color"], o["shape"], o["size"]) for name in WORDS]
    return words


PLACES = 50
NEAR = torch.exp(-(torch.arange(PLACES)[:, None] - torch.arange(PLACES)).float() ** 2 / 2)
NEAR = NEAR / NEAR.sum(1, keepdim=True)


def place_loss(head, network, tokens, chosen, labels):
    """What the rows of objects, after two blocks, tell of the four edges: only the training asks."""
    at, loss, facts = 0, 0.0, {}
    for number, (where, wanted) in enumerate(zip(chosen, labels)):
        at += len(tokens.before(number + 1))
        there = wanted[..., 0] >= 0
        rows = network.middle[:, at: at + where.shape[1]][there]
        chances = head(rows).float().unflatten(-1, (4, PLACES)).log_softmax(-1)
        loss = loss - (NEAR[wanted[there]] * chances).sum(-1).mean() / len(chosen)
        facts["edge"] = (chances.argmax(-1) - wanted[there]).abs().float().mean().item() * 20
        at += where.shape[1] + len(tokens.after)
    return loss, facts


WORDS = [*COLORS, *SHAPES, *SIZES]    # what a question may ask for, beside a picture's number


@functools.lru_cache(100_000)
def asked_for(text):
    """Which words a question names, in either language, and which picture: 18 times 0 or 1."""
    lower = text.lower()
    named = [any(word in lower for word in NAMES[name].split()) for name in WORDS]
    numbers = [any(sign in lower for sign in signs)
               for signs in (("picture 1", "第一张"), ("picture 2", "第二张"), ("both", "两张"))]
    return [float(v) for v in named + numbers]


class Asking(nn.Module):
    """What a training asks inside the language model, thrown away afterwards."""

    def __init__(self, width):
        super().__init__()
        self.edges = nn.Linear(width, 4 * PLACES)      # of rows, after two blocks
        self.picture = nn.Linear(width, 2)             # of rows, after two blocks
        self.words = nn.Linear(width, len(WORDS) + 3)  # where an answer begins, after three


def asking_loss(asking, network, tokens, batch):
    """Whether rows know in which picture they are, and the place of an answer's first word what the
    question named."""
    _, chosen, texts, _, _ = batch
    at, loss, facts = 0, 0.0, {}
    if len(chosen) == 2:
        right = []
        for number, where in enumerate(chosen):
            at += len(tokens.before(number + 1))
            rows = asking.picture(network.middle[:, at: at + where.shape[1]]).float().flatten(0, 1)
            wanted = torch.full((len(rows),), number)
            loss = loss + F.cross_entropy(rows, wanted) / 2
            right.append((rows.argmax(-1) == wanted).float().mean())
            at += where.shape[1] + len(tokens.after)
        facts["which"] = sum(right).item() / 2
    begins, wanted = texts[6], texts[7]
    count = network.later.shape[1] - begins.shape[1]
    said = asking.words(network.later[:, count:][begins]).float()
    wanted = wanted[begins]
    loss = loss + F.binary_cross_entropy_with_logits(said, wanted) * 5
    facts["named"] = ((said > 0) == (wanted > 0)).all(-1).float().mean().item()
    return loss, facts


LOOKING = [(3, 0), (4, 2)]    # blocks, and a head of each, that look at what a question names
GROUPS = [len(COLORS), len(SHAPES), len(SIZES)]


def looking_loss(network, tokens, batch):
    """How much two heads look at the objects that a question names, at its nouns and where its answer
    begins; at the one that an answer is about to name; and at the one that a box is of, at its digits."""
    _, chosen, texts, _, words = batch
    told, looks = texts[7], texts[8]
    width = network.bias.shape[-1]
    count = width - looks.shape[1]
    which, place = looks.nonzero(as_tuple=True)
    told, kind = told[which, place], looks[which, place]
    right = torch.zeros(len(which), width, dtype=torch.bool)
    at = 0
    for number, (where, true) in enumerate(zip(chosen, words)):
        at += len(tokens.before(number + 1))
        fits = true[which].sum(-1) > 0
        first = 0
        for size in GROUPS:
            asked = told[:, first: first + size]
            both = torch.einsum("nw,nrw->nr", asked, true[which][..., first: first + size])
            fits &= (both > 0) | (asked.sum(1, keepdim=True) == 0)
            first += size
        fits &= (told[:, first + 1 - number] == 0)[:, None]    # not where the other picture is named
        right[:, at: at + where.shape[1]] = fits
        at += where.shape[1] + len(tokens.after)
    some = right.any(1) & (told[:, : sum(GROUPS[:2])].sum(1) > 0)
    if not some.any():
        return 0.0, {}
    which, place, right, kind = which[some], place[some], right[some], kind[some]
    loss, facts = 0.0, {}
    for block, head in LOOKING:
        q, k = (t[:, head].float() for t in network.transformer.h[block].looks)
        scores = torch.einsum("nc,nkc->nk", q[which, count + place], k[which])
        scores = scores * q.shape[-1] ** -0.5 + network.bias[which, 0, count + place]
        share = scores.masked_fill(~right, -1e9).logsumexp(-1) - scores.logsumexp(-1)
        for number, weight in ((1, 1.0), (2, 0.5)):
            some = share[kind == number]
            if len(some):
                loss = loss - weight * some.mean() / len(LOOKING)
                facts[f"looks{block}" + "n" * (number - 1)] = some.exp().mean().item()
    return loss, facts


def colors_asked(record, chooser):
    """The colour of each shape that is there once, in both languages."""
    result, shapes = [], [o["shape"] for o in record["objects"]]
    for o in record["objects"]:
        if shapes.count(o["shape"]) == 1:
            chinese = {k: NAMES[k].split()[-1] for k in (o["shape"], o["color"])}
            result += [([[f"What color is the {o['shape']}?", o["color"]]], 1.0),
                       ([[f"{chinese[o['shape']]}是什么颜色？", chinese[o["color"]]]], 1.0)]
    chooser.shuffle(result)
    return result


class Lessons:
    """Batches: pictures, and dialogues about them."""

    def __init__(self, folder, tokens, chooser):
        self.tokens, self.random = tokens, chooser
        self.worlds = [Seen(folder, p) for p, _, _ in WORLDS]
        self.weights = dict(single=3.0, followUp=3.0, ground=1.0, describe=0.7)
        self.topics = collections.defaultdict(lambda: 1.0)

    def refresh(self):
        for world in self.worlds:
            world.refresh()

    def dialogues(self, record, pair, boxes=False):
        """In a drawn order, heavy ones first more often; each as (turns, weight). Only those with
        boxes where they are practised."""
        found = {}
        for kind, language, turns in record["dialogues"]:
            if (kind == "pair") == pair and (
                    not boxes or any("<box>" in t[1] for t in turns)):
                found[json.dumps(turns)] = kind, turns
        keyed = []
        for kind, turns in found.values():
            likely = self.weights.get(kind, 1.0) * max(self.topics[kind, t[2]] for t in turns)
            keyed.append((self.random.random() ** (1 / likely), turns))
        keyed.sort(key=lambda k: -k[0])
        return [([t[:2] for t in turns], 1.0) for _, turns in keyed]

    def batch(self, shares, size, rows, width, pair, boxes=False, colors=False):
        """-> tower outputs and chosen rows, one for each picture of a prompt; packed texts."""
        if pair:
            size = max(1, size * 2 // 3)
        records, seen, chosen, labels, words = [], [[], []], [[], []], [[], []], [[], []]
        of_pairs = self.worlds[-1:] * size
        for world in of_pairs if pair else self.random.choices(self.worlds[:-1], shares, k=size):
            while not world.records:
                time.sleep(5)
                self.refresh()
            index = self.random.randrange(len(world.records) - 1)
            record = world.record(index)
            records.append(record)
            seen[0].append(world.inputs([index])[0])
            for number in range(1 + pair):
                objects = (world.record(index + 1) if number else record)["objects"]
                chosen[number].append(choose_rows(objects, rows, self.random))
                labels[number].append(row_labels(objects, chosen[number][-1]))
                words[number].append(row_words(objects, chosen[number][-1]))
            if pair:
                seen[1].append(world.inputs([index + 1])[0])
        count = 1 + pair
        texts = Pack(self.tokens, width, asked_for).batch([
            colors_asked(r, self.random) if colors else self.dialogues(r, pair, boxes)
            for r in records])
        return ([torch.stack(s) for s in seen[:count]],
                [torch.from_numpy(np.stack(c)) for c in chosen[:count]], texts,
                [torch.from_numpy(np.stack(c)) for c in labels[:count]],
                [torch.from_numpy(np.stack(c)) for c in words[:count]])


def loss_of(network, tokens, head, batch):
    seen, chosen, texts, labels, _ = batch
    with torch.autocast("cpu", torch.bfloat16):
        rows = [network.visual.tell(s, c) for s, c in zip(seen, chosen)]
        start, places, at = prefix(network, tokens, rows, chosen)
        hidden = packed(network, start, places, at, texts)
        where, found = place_loss(head.edges, network, tokens, chosen, labels)
        inside, more = asking_loss(head, network, tokens, batch)
        looking, most = looking_loss(network, tokens, batch)
        weight, label = texts[3], texts[4]
        asked = weight > 0
        logits = network.lm_head(hidden[asked]).float()
    target, weight, digits = label[asked], weight[asked], texts[5][asked]
    each = F.cross_entropy(logits, target, reduction="none")
    place = digits >= 0   # a place that is nearly right is nearly as good
    chances = logits[place].log_softmax(-1)[:, tokens.digits]
    each = each.masked_scatter(place, -(NEAR_DIGITS[digits[place]] * chances).sum(-1))
    right = (logits.argmax(-1) == target).float()
    facts = {name: right[torch.isin(target, ids)].mean().item()
             for name, ids in tokens.groups.items()}
    facts["digit"] = right[place & (digits < 100)].mean().item()
    facts["digit2"] = right[digits >= 100].mean().item()
    return (each * weight).sum() / weight.sum() + 0.25 * where + 0.2 * inside + 0.1 * looking, facts | found | more | most


# ---- answers

class Answers:
    """Greedy answers to many prompts about many pictures."""

    def __init__(self, network, tokens, exact=False):
        self.network, self.tokens, self.exact = network, tokens, exact

    @torch.no_grad()
    def ask(self, seen, tails, limits, rows=None):
        """seen: tower outputs for each picture of the prompts, [n, patches, width] each;
        tails: for each prompt (index, ids behind the pictures) -> texts."""
        network, tokens = self.network, self.tokens
        with torch.autocast("cpu", torch.bfloat16, enabled=not self.exact):
            chosen = [torch.arange(ROWS).expand(len(s), -1) if rows is None else rows[i]
                      for i, s in enumerate(seen)]
            told = [network.visual.tell(s, c) for s, c in zip(seen, chosen)]
            start, places, at = prefix(network, tokens, told, chosen)
            count = start.shape[1]
            mask = torch.full((count, count), -1e4).triu(1)[None, None]
            caches = network.speak(start, places, mask)[1]
            result = [None] * len(tails)
            order = sorted(range(len(tails)), key=lambda i: (limits[i], len(tails[i][1])))
            for first in range(0, len(order), 64):
                part = order[first: first + 64]
                which = torch.tensor([tails[i][0] for i in part])
                longest = max(len(tails[i][1]) for i in part)
                ids = torch.tensor([tails[i][1] + [tokens.end] * (longest - len(tails[i][1]))
                                    for i in part])
                length = torch.tensor([len(tails[i][1]) for i in part])
                kept = [(k[which], v[which]) for k, v in caches]
                n = len(part)
                mask = torch.zeros(n, 1, longest, count + longest)
                mask[..., count:] = torch.full((longest, longest), -1e4).triu(1)
                hidden, kept = network.speak(network.transformer.wte(ids),
                                             at + torch.arange(longest).expand(n, -1), mask, kept)
                last = hidden[torch.arange(n), length - 1]
                hole = torch.where(torch.arange(longest)[None] < length[:, None], 0.0, -1e4)
                said, going = [], torch.ones(n, dtype=torch.bool)
                for step in range(max(limits[i] for i in part)):
                    token = network.lm_head(last).argmax(-1)
                    said.append(token)
                    going &= token != tokens.stop
                    if not going.any():
                        break
                    mask = torch.cat([torch.zeros(n, count), hole, torch.zeros(n, step + 1)], 1)
                    hidden, kept = network.speak(
                        network.transformer.wte(token[:, None]), (at + length + step)[:, None],
                        mask[:, None, None], kept)
                    last = hidden[:, 0]
                for i, row in zip(part, torch.stack(said, 1).tolist()):
                    stop = row.index(tokens.stop) if tokens.stop in row else len(row)
                    result[i] = tokens.decode(row[:stop])
        return result


def overlap(first, second):
    """Intersection over union of two written boxes; 0 for what is no box."""
    a, b = ([int(v) for v in re.findall(r"\d+", t)] for t in (first, second))
    if len(a) != 4 or len(b) != 4:
        return 0.0
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    area = [(v[2] - v[0]) * (v[3] - v[1]) for v in (a, b)]
    return wide * high / (sum(area) - wide * high)


def boxes_right(said, truth):
    """Whether names are equal and every box overlaps by half or more; and the overlaps."""
    parts = [re.findall(r"<ref>(.*?)</ref>(<box>.*?</box>)", t) for t in (said, truth)]
    plain = [re.sub(r"\d+", "", t) for t in (said, truth)]
    overlaps = [0.0] * len(parts[1])
    for i, (one, two) in enumerate(zip(*parts)):
        overlaps[i] = overlap(one[1], two[1]) if one[0] == two[0] else 0.0
    return plain[0] == plain[1] and all(o >= 0.5 for o in overlaps), overlaps


def tally(network, tokens, seen, records, thin=None, wrong=None, exact=False):
    """Per (kind, language), (kind, language, topic): [right, asked]; and overlaps of boxes.

    Later turns are asked after the right answers to the earlier ones. Seen has one picture more
    than there are records: the last pair's second."""
    answers = Answers(network, tokens, exact)
    table, boxes = collections.defaultdict(lambda: [0, 0]), collections.defaultdict(list)
    chooser = random.Random(1)
    for first in range(0, len(records), 40):
        some = records[first: first + 40]
        one, two = seen[first: first + len(some)], seen[first + 1: first + 1 + len(some)]
        for pair in (False, True):
            tails, limits, known = [], [], []
            for i, record in enumerate(some):
                for kind, language, turns in record["dialogues"]:
                    if (kind == "pair") != pair:
                        continue
                    for n, (question, answer, topic) in enumerate(turns):
                        done = tokens.turns([t[:2] for t in turns[:n]])[0]
                        ids = done + (tokens.user if n else []) + tokens.encode(question) + \
                            tokens.assistant
                        tails.append((i, ids))
                        limits.append(len(tokens.encode(answer)) + 3)
                        place = "first" if kind == "followUp" and n == 0 else kind
                        known.append((place, language, topic, question, answer))
            rows = None
            if thin:
                # The second picture's own objects are not known here: anything may be anywhere.
                rows = [torch.from_numpy(np.stack([choose_rows(r["objects"], thin, chooser)
                                                   for r in records_]))
                        for records_ in (some, (records + records[:1])[first + 1:
                                                                       first + 1 + len(some)])]
            said = answers.ask([one, two][: 1 + pair], tails, limits, rows)
            for text, (kind, language, topic, question, answer) in zip(said, known):
                right = text == answer
                if "<box>" in answer:
                    right, overlaps = boxes_right(text, answer)
                    boxes[kind, language] += overlaps
                for key in ((kind, language), (kind, language, topic)):
                    table[key][0] += right
                    table[key][1] += 1
                if wrong is not None and not right:
                    wrong.append((kind, topic, question, text, answer))
    return table, boxes


def show(table, boxes, topics=True):
    """Rows: kind; columns: languages, right of asked."""
    for kind in ("single", "followUp", "pair", "ground", "describe", "first"):
        for topic in [None] + sorted({k[2] for k in table if len(k) == 3 and k[0] == kind}):
            if topic and not topics:
                continue
            cells = []
            for language in ("en", "zh"):
                right, asked = table[(kind, language, topic) if topic else (kind, language)]
                cells.append(f"{right:5}/{asked:<5} {100 * right / max(1, asked):5.1f} %")
            print(f"{('  ' + topic) if topic else kind:14}", *cells)
    for language in ("en", "zh"):
        found = [v for k, values in boxes.items() if k[1] == language for v in values]
        if found:
            print(f"boxes {language}: {len(found)}, median IoU {np.median(found):.3f}, "
                  f"at least one half {100 * np.mean(np.array(found) >= 0.5):.1f} %")
    sys.stdout.flush()


def held_out(network, count, seed=HELD_OUT, drawn=1):
    """Records of `count` scenes and what the tower makes of one more."""
    stream, records, seen, pictures = Stream(seed, "1-3", dialogues=drawn), [], [], []
    for _ in range(count + 1):
        record, picture, _ = next(stream)
        records.append(compact(record)), pictures.append(resized(picture))
        if len(pictures) == 64:
            seen.append(look(network, pictures))
            pictures = []
    stream.process.kill()
    if pictures:
        seen.append(look(network, pictures))
    return records[:count], torch.cat(seen)


# ---- learning

STAGES = [  # until which step; shares of one, two and three objects; rows of a picture
    (160, [1, 0, 0], 16), (380, [1, 4, 0], 24), (1940, [1, 3, 4], 32), (2340, [1, 4, 5], 64),
    (10 ** 9, [1, 4, 5], 256)]


def groups_of(network):
    matrices = [p for block in network.transformer.h for p in block.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    visual = {id(p) for p in network.visual.parameters()}
    others = [p for p in network.parameters()
              if p.requires_grad and id(p) not in inside and id(p) not in visual]
    reading = [p for p in network.visual.parameters() if p.requires_grad]
    return matrices, others, reading


def learn(folder, steps, a):
    tokens, network = make(folder)
    path = os.path.join(folder, a.name + ".pt")
    matrices, others, reading = groups_of(network)
    optimizers = [
        torch.optim.Muon(matrices, lr=a.rate, weight_decay=0.05, momentum=0.95,
                         adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW([dict(params=others, rate=1.0), dict(params=reading, rate=0.3)],
                          lr=a.rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True)]
    head = Asking(network.config["hidden_size"])
    optimizers.append(torch.optim.AdamW(head.parameters(), lr=a.rate, fused=True))
    step = 0
    if os.path.exists(path):
        saved = torch.load(path)
        head.load_state_dict(saved["head"])
        network.load_state_dict(saved["network"])
        step = saved["step"]
        for optimizer, state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
        print("continues at", step, flush=True)
    else:
        stitch(network, tokens)
    chooser = random.Random(step * 13 + 1)
    torch.manual_seed(step)
    lessons = Lessons(folder, tokens, chooser)
    lessons.refresh()
    checked = held_out(network, a.check)
    sums, began, saved_at = {}, time.time(), time.time()
    wish = os.path.join(folder, a.name + ".json")   # changes settings while it runs
    measured = time.time()
    offset, mixed, few, practice, bound, stopped = 0, None, None, 0.1, 0.2, []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    while True:
        if os.path.exists(wish):
            try:
                wanted = json.load(open(wish))
                steps = wanted.get("steps", steps)
                a.rate = wanted.get("rate", a.rate)
                a.batch, a.width = wanted.get("batch", a.batch), wanted.get("width", a.width)
                a.pairs = wanted.get("pairs", a.pairs)
                offset = wanted.get("offset", offset)   # stages come so many steps sooner
                mixed, few = wanted.get("shares", mixed), wanted.get("rows", few)
                practice = wanted.get("practice", practice)
                bound = wanted.get("colors", bound)
                lessons.weights.update(wanted.get("weights", {}))
                for name, value in wanted.get("topics", {}).items():
                    lessons.topics[tuple(name.split("."))] = value
            except ValueError:
                pass
        if step >= steps:
            break
        # Where things are is practised, and later the hardest binding.
        _, shares, rows = next(s for s in STAGES if step + offset < s[0])
        rows = few or rows
        pair = step + offset >= 410 and chooser.random() < a.pairs
        boxes = not pair and chooser.random() < practice
        colors = not pair and not boxes and step > 1000 and chooser.random() < bound
        batch = lessons.batch(
            [4, 1, 0] if boxes else [0, 3, 1] if colors else mixed or shares, a.batch, rows,
            64 if colors else a.width, pair, boxes, colors)
        loss, facts = loss_of(network, tokens, head, batch)
        factor = min(1.0, (step + 1) / 60, max(0.03, (steps - step) / (a.cool * steps)))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = a.rate * group.get("rate", 1.0) * factor
            optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(others + reading + matrices, 1.0)
        for optimizer in optimizers:
            optimizer.step()
        step += 1
        for key, value in {"loss": loss.item(), "norm": norm.item(), **facts}.items():
            key = ("2:" if pair else "b:" if boxes else "") + key
            key = "c:" + key if colors else key
            if (boxes and "digit" not in key) or (colors and "color" not in key):
                continue
            if value == value:
                total, n = sums.get(key, (0.0, 0))
                sums[key] = total + value, n + 1
        if step % 20 == 0:
            means = " ".join(f"{k} {t / n:.3f}" for k, (t, n) in sums.items())
            print(f"{step}/{steps} {time.time() - began:.0f}s x{factor:.2f} r{rows} {means}",
                  flush=True)
            sums = {}
        if step % 50 == 0:
            lessons.refresh()
        if time.time() - saved_at > 150 or step >= steps:
            save(path, network, head, optimizers, step)
            saved_at = time.time()
        if stopped:
            save(path, network, head, optimizers, step)
            break
        if time.time() - measured > a.every:
            start = time.time()
            show(*tally(network, tokens, checked[1], checked[0], rows if rows < ROWS else None))
            print(f"  (measured in {time.time() - start:.0f} s, {time.strftime('%H:%M:%S')})")
            measured = time.time()


def save(path, network, head, optimizers, step):
    torch.save({"network": network.state_dict(), "head": head.state_dict(), "step": step,
                "optimizers": [o.state_dict() for o in optimizers]}, path + ".part")
    os.replace(path + ".part", path)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("stage", choices=["see", "learn", "measure"])
    p.add_argument("folder")
    p.add_argument("count", type=int, nargs="?", default=0)
    p.add_argument("--name", default="learn")
    p.add_argument("--rate", type=float, default=2e-3)
    p.add_argument("--batch", type=int, default=24)
    p.add_argument("--width", type=int, default=80)
    p.add_argument("--pairs", type=float, default=0.2)
    p.add_argument("--cool", type=float, default=0.4)
    p.add_argument("--check", type=int, default=40)
    p.add_argument("--every", type=float, default=360)
    a = p.parse_args()
    torch.set_num_threads(1)
    if a.stage == "see":
        see(a.folder)
    elif a.stage == "learn":
        learn(a.folder, a.count, a)
    else:
        tokens, network = make(a.folder)
        network.load_state_dict(torch.load(os.path.join(a.folder, a.name + ".pt"))["network"])
        records, seen = held_out(network, a.count)
        wrong = []
        show(*tally(network, tokens, seen, records, wrong=wrong))
        for line in random.Random(2).sample(wrong, min(25, len(wrong))):
            print(*line, sep=" | ")


if __name__ == "__main__":
    main()
