"""Stages 2 and 3: the Q-Former between the towers.

`queries`: each query answers for the object in its cell (what it is, where it is, and looks at it),
while captions go through the Q-Former: guess hidden words, find wrong words, match (ITM), contrast
(ITC). `joint`: the same and the language model on top, first stitched by ridge regression.
"""
import argparse, os, random
import numpy as np, torch, torch.nn as nn, torch.nn.functional as F
from network import (LANGUAGE, PATCH_FACTS, QFORMER, VISION, Network, Trainer, Words, configuration,
                     assign, look_loss, parameters, patch_labels, patch_loss, slot_loss)
from train_language import WEIGHTS, Oracle
from worlds import (BINS, COLORS, QUERIES, SHAPES, SIZES, EasyVQA, Stream, Texts, Tokens,
                    pixel_values, repeats, resized, slot_labels)

MATCHING_WORDS = 112


class Heads(nn.Module):
    """What only training needs: what patches, slots and text rows are asked."""

    def __init__(self):
        super().__init__()
        width = QFORMER["hidden_size"]
        self.patch = nn.Linear(VISION["hidden_size"], PATCH_FACTS)
        self.slot = nn.Linear(width, 9 + 6 + 2 + 4 * BINS)
        self.word = nn.Linear(width, MATCHING_WORDS)
        self.wrong = nn.Linear(width, 1)
        self.heat = nn.Parameter(torch.tensor(2.66))   # ln(1 / 0.07)


class Captions:
    """Captions as ids of the matching vocabulary."""

    def __init__(self, folder, chooser):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "matching", "tokenizer.json"))
        self.tokenizer.enable_padding(pad_id=0, pad_token="[PAD]")
        self.random = chooser
        words = COLORS + SHAPES + SIZES
        self.attributes = torch.tensor([self.tokenizer.token_to_id(w) for w in words])
        self.mask = self.tokenizer.token_to_id("[MASK]")

    def ids(self, texts):
        ids = torch.tensor([e.ids for e in self.tokenizer.encode_batch(texts)])
        return ids, ids != 0

    def losses(self, network, heads, seen, records):
        """The four losses of captions for pictures that have one."""
        n = len(records)
        right = [r["caption"] for r in records]
        wrong, hard = [], []
        for i, record in enumerate(records):
            other = right[(i + 1) % n]
            hard.append(self.random.random() < 0.75 or other == right[i])
            wrong.append(self.random.choice(record["wrongCaptions"]) if hard[-1] else other)
        ids, seeable = self.ids(right + wrong + right)
        truth = ids[2 * n:].clone()
        hidden = torch.isin(truth, self.attributes) & (torch.rand(truth.shape) < 0.4)
        ids[2 * n:][hidden] = self.mask
        out, _ = network.query(seen.repeat(3, 1, 1), ids, seeable)
        queries, text = out[:, :QUERIES], out[:, QUERIES:]
        match = network.itm_head(queries[: 2 * n]).float().mean(1)
        label = torch.cat([torch.ones(n), torch.zeros(n)]).long()
        matching = F.cross_entropy(match, label)
        guess = heads.word(text[2 * n:][hidden]).float()
        guessing = F.cross_entropy(guess, truth[hidden])
        hard = torch.tensor(hard)
        flags = heads.wrong(text[: 2 * n]).float()[..., 0]
        differ = (ids[n:2 * n] != ids[:n])
        asked = torch.isin(ids[: 2 * n], self.attributes) & torch.cat([torch.ones(n).bool(), hard])[:, None]
        target = torch.cat([torch.zeros_like(differ), differ])
        finding = F.binary_cross_entropy_with_logits(
            flags[asked], target[asked].float(), pos_weight=torch.tensor(4.0))
        said = network.query(None, ids[:n], seeable[:n], queries=False)[0][:, 0]
        said = F.normalize(network.text_projection(said).float(), dim=-1)
        with torch.no_grad():
            correct = match.argmax(1) == label
            facts = {"itm": correct.float().mean().item(),
                     "itm.hard": correct[n:][hard].float().mean().item(),
                     "words": (guess.argmax(-1) == truth[hidden]).float().mean().item(),
                     "wrong": ((flags > 0) == target)[asked & target].float().mean().item()}
        return matching, guessing, finding, said, facts


def contrast(network, heads, asked, said):
    """Image-text contrast over the batch: the best query counts."""
    shown = F.normalize(network.vision_projection(asked).float(), dim=-1)
    likeness = torch.einsum("iqd,td->itq", shown, said).amax(-1) * heads.heat.exp()
    label = torch.arange(len(said))
    loss = (F.cross_entropy(likeness, label, label_smoothing=0.1)
            + F.cross_entropy(likeness.t(), label, label_smoothing=0.1)) / 2
    return loss, {"itc": (likeness.argmax(1) == label).float().mean().item()}


def stitch(network, heads, oracle, batches):
    """Ridge regression from what queries say to what the oracle would have said."""
    width = QFORMER["hidden_size"] + 1
    xx = torch.zeros(width, width, dtype=torch.double)
    xy = torch.zeros(width, LANGUAGE["hidden_size"], dtype=torch.double)
    with torch.no_grad():
        for records, pixels in batches:
            with torch.autocast("cpu", torch.bfloat16):
                out = network.query(network.see(pixels))[0].float()
            x = torch.cat([out, torch.ones(len(out), QUERIES, 1)], -1).flatten(0, 1)
            places = assign(heads.slot(out), records)
            weight = 1 + 4 * (Oracle.indices(records, places)[1][..., 1:2].flatten(0, 1))
            y = oracle(records, places).flatten(0, 1)
            xx += ((x * weight).t() @ x).double()
            xy += ((x * weight).t() @ y).double()
        answer = torch.linalg.solve(xx + 0.5 * torch.eye(width), xy).float()
        network.language_projection.weight.copy_(answer[:-1].t())
        network.language_projection.bias.copy_(answer[-1])
        there = weight[:, 0] > 1
        rest = ((x @ answer - y)[there] ** 2).sum() / ((y - y[there].mean(0))[there] ** 2).sum()
        print(f"stitched: {1 - rest:.3f} of the variance on objects", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("stage", choices=["queries", "joint"])
    p.add_argument("folder")
    p.add_argument("steps", type=int)
    p.add_argument("--size", type=int, default=16)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--easy", type=float, default=0.12, help="the share of easy-VQA")
    p.add_argument("--name", default="")
    p.add_argument("--warm", type=int, default=100)
    a = p.parse_args()
    joint = a.stage == "joint"
    torch.set_num_threads(1)
    tokens = Tokens(a.folder)
    network, heads = Network(configuration(tokens, MATCHING_WORDS), seed=5), Heads()
    words = Words(tokens)

    def load(name):
        return torch.load(os.path.join(a.folder, name + ".pt"))
    path = os.path.join(a.folder, (a.name or a.stage) + ".pt")
    fresh = not os.path.exists(path)
    if fresh and not joint:
        saved = load("vision")
        network.vision_model.load_state_dict(saved["vision"])
        heads.patch.load_state_dict(saved["head"])
    if fresh and joint:
        saved = load("queries")
        network.load_state_dict(saved["network"])
        heads.load_state_dict(saved["heads"])
        saved = load("language")
        network.language_model.load_state_dict(saved["language"])
        oracle = Oracle()
        oracle.load_state_dict(saved["oracle"])
        stream, batches = Stream(30_000_000, "usual"), []
        for _ in range(24):
            items = [next(stream)[:2] for _ in range(32)]
            batches.append(([r for r, _ in items], pixel_values([resized(x) for _, x in items])))
        stream.process.kill()
        stitch(network, heads, oracle, batches)
    middle = [network.qformer, network.query_tokens, network.embeddings, network.vision_projection,
              network.text_projection, network.itm_head, heads]
    groups = parameters(middle, 0.02) + parameters([network.vision_model], 0.02, 0.4)
    if joint:
        groups += parameters([network.language_projection, network.language_model], 0.02, 0.7)
    trainer = Trainer(a.name or a.stage, a.folder, {"network": network, "heads": heads}, groups,
                      a.rate, a.steps, warm=a.warm, cool=0.55, clip=2.0)
    chooser = random.Random(trainer.step * 7 + trainer.rank)
    torch.manual_seed(trainer.step * 7 + trainer.rank)
    start = (50_000_000 if joint else 40_000_000) * (1 + trainer.rank * 2) + trainer.step * a.size
    streams = [Stream(start, "1-3"), Stream(start + 4_000_000, "usual")]
    easy, captions = EasyVQA(), Captions(a.folder, chooser)
    texts = Texts(tokens, chooser, 96, {**WEIGHTS, "count": 2.0, "box": 1.5}, caption=0.5)
    easy_count = round(a.size * a.easy)
    while trainer.going():
        items = [easy.scene(chooser.choice(easy.images)) for _ in range(easy_count)]
        for _ in range(a.size - easy_count):
            record, picture, own = next(chooser.choice(streams))
            while joint and len(record["objects"]) > 1 and not repeats(record) and (
                    chooser.random() < 0.5):
                record, picture, own = next(chooser.choice(streams))
            items.append((record, resized(picture), own))
        records, owners = [i[0] for i in items], [i[2] for i in items]
        patches, owned = patch_labels(records, owners)
        facts = {}
        with torch.autocast("cpu", torch.bfloat16):
            seen = network.see(pixel_values([i[1] for i in items]))
            patch, found = patch_loss(heads.patch, seen, patches)
            facts |= {k: found[k] for k in ("p.shape", "p.box")}
            asked, maps = network.query(seen)
            told = heads.slot(asked).float()
            places = assign(told, records)
            slot, found = slot_loss(
                told, slot_labels(records, places), calibrated=joint)
            facts |= found
            look, found = look_loss(maps, places, owned)
            facts |= found
            half = slice(easy_count, easy_count + a.size // (3 if joint else 2))
            matching, guessing, finding, said, found = captions.losses(
                network, heads, seen[half], records[half])
            facts |= found
            itc, found = contrast(network, heads, asked[half], said)
            facts |= found
            loss = (0.4 * patch + 0.5 * look + 0.5 * matching + 0.5 * guessing + 0.5 * finding
                    + 0.2 * itc + (0.7 if joint else 1.0) * slot)
            if joint:
                ids, segment, position, weight, label = texts.batch(records)
                hidden = network.speak(network.language_projection(asked), ids, segment, position)
                spoken, found = words.loss(network, hidden, weight, label)
                facts |= {"lm": spoken.item(), **found}
                loss = loss + 2.0 * spoken
        trainer.learn(loss, facts, save=100)


if __name__ == "__main__":
    main()
