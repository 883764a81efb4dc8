"""Gives the small Qwen-VL two heads that it was not seen to find: graft_qwen.py FOLDER

After 2,000 steps "what is the red shape?" was always right, and "what color is the circle?" a guess:
nothing at the place of the answer knew which shape was asked for. Two heads that mattered little are
solved for by ridge regression, and the learning goes on with them:

- block 1, head 2 looks from the place of an answer at the last word for a shape and brings its name;
- block 3, head 3 looks at the rows of that shape and brings their colour.

Keys and queries stand in few slow pairs of the rotation, so that the distance to a row does not
matter; the first uses a faster pair, so that the last word wins.
"""
import os, random, sys
import numpy as np, torch, torch.nn.functional as F
from qwen_words import QwenTokens, prefix
from train_qwen import NAMES, Seen, choose_rows, colors_asked, make, row_labels
from worlds import COLORS, SHAPES

FETCH, MATCH, SIZE = (1, 2), (3, 3), 64


class Places:
    """Hidden states where questions end, at words and at rows, for some scenes."""

    def __init__(self, folder, tokens, network):
        self.folder, self.tokens, self.network, self.random = folder, tokens, network, random.Random(5)
        self.normal, self.plain = {}, {}
        for number, block in enumerate(network.transformer.h):
            block.attn.c_attn.register_forward_pre_hook(
                lambda _, x, n=number: self.normal.__setitem__(n, x[0]))
            block.register_forward_pre_hook(lambda _, x, n=number: self.plain.__setitem__(n, x[0]))

    def prompts(self, record):
        """(ids, the object whose colour is asked for or -1)"""
        tokens, found = self.tokens, []

        def asked(word):
            hit = [i for i, o in enumerate(record["objects"]) if word in NAMES[o["color"]].split()]
            return hit[0] if len(hit) == 1 else None
        for kind, _, turns in record["dialogues"]:
            for n, (question, answer, topic) in enumerate(turns):
                if kind in ("pair", "describe") or topic != "color" and self.random.random() < 0.6:
                    continue
                wanted = asked(answer) if topic == "color" else -1
                if wanted is not None:
                    before = tokens.turns([t[:2] for t in turns[:n]])[0] + (tokens.user if n else [])
                    found.append((before + tokens.encode(question) + tokens.assistant, wanted))
        found = found[:6]
        for turns, _ in colors_asked(record, self.random):
            wanted = asked(turns[0][1])
            if wanted is not None:
                found.append((tokens.encode(turns[0][0]) + tokens.assistant, wanted))
        return found

    def collect(self, population, count):
        tokens, network = self.tokens, self.network
        world, result = Seen(self.folder, population), []
        world.refresh()
        for index in range(count):
            record = world.record(index)
            prompts = self.prompts(record)
            if not prompts:
                continue
            chosen = choose_rows(record["objects"], 32, self.random)
            edges, own = row_labels(record["objects"], chosen), np.full(32, -1)
            for i, o in enumerate(record["objects"]):
                own[(edges == row_labels([o], chosen)).all(1) & (edges[:, 0] >= 0)] = i
            where = torch.from_numpy(chosen)[None]
            rows = network.visual.tell(world.inputs([index]).float(), where)
            start, places, at = prefix(network, tokens, [rows], [where])
            n, longest = len(prompts), max(len(p) for p, _ in prompts)
            ids = torch.tensor([p + [tokens.end] * (longest - len(p)) for p, _ in prompts])
            length = torch.tensor([len(p) for p, _ in prompts])
            x = torch.cat([start.expand(n, -1, -1), network.transformer.wte(ids)], 1)
            place = torch.cat([places.expand(n, -1), at + torch.arange(longest).expand(n, -1)], 1)
            mask = torch.full((x.shape[1], x.shape[1]), -1e4).triu(1)[None, None]
            network.speak(x, place, mask)
            first, last = len(tokens.before(1)), start.shape[1] + length - 1
            line = torch.arange(n)
            result.append(dict(
                ids=ids, length=length, shapes=[o["shape"] for o in record["objects"]],
                colors=[o["color"] for o in record["objects"]], own=own,
                wanted=[w for _, w in prompts], text=self.normal[1][:, start.shape[1]:].clone(),
                asked=self.normal[3][line, last],
                rows={k: v[0, first: first + 32].clone() for k, v in self.normal.items()},
                strength={k: v[line, last].norm(dim=-1).mean() for k, v in self.plain.items()}))
        return result


def ridge(x, y, weight=None):
    weight = torch.ones(len(x)) if weight is None else weight
    xx = (x * weight[:, None]).t() @ x
    return torch.linalg.solve(xx + 1e-3 * xx.diagonal().mean() * torch.eye(len(xx)),
                              (x * weight[:, None]).t() @ y)


def codes(labels, count):
    """One of `count`, around zero; zeros where there is nothing to name."""
    return F.one_hot(labels.clamp(0), count).float().sub(1 / count) * (labels >= 0)[:, None]


def clear(attn, head):
    for part in range(3):
        at = (part * attn.heads + head) * SIZE
        rows = slice(at, at + SIZE)
        attn.c_attn.weight[rows], attn.c_attn.bias[rows] = 0, 0
    attn.c_proj.weight[:, head * SIZE: (head + 1) * SIZE] = 0


def install(attn, head, pairs, query, key, value, out, score):
    """A head whose score is `score` where query and key agree."""
    clear(attn, head)
    width, at = attn.heads * SIZE, head * SIZE
    gain = (score * SIZE ** 0.5) ** 0.5
    attn.c_attn.weight[at + pairs[0]: at + pairs[1]] = query.t() * gain
    attn.c_attn.weight[width + at + pairs[0]: width + at + pairs[1]] = key.t() * gain
    attn.c_attn.weight[2 * width + at: 2 * width + at + value.shape[1]] = value.t()
    attn.c_proj.weight[:, at: at + value.shape[1]] = out


@torch.no_grad()
def main(folder):
    torch.set_num_threads(1)
    tokens, network = make(folder)
    path = os.path.join(folder, "learn.pt")
    saved = torch.load(path)
    network.load_state_dict(saved["network"])
    places = Places(folder, tokens, network)
    names = {tokens.encode(t)[0]: i for i, shape in enumerate(SHAPES)
             for word in NAMES[shape].split() for t in (word, " " + word)
             if len(tokens.encode(t)) == 1}

    found = places.collect("2-2", 60) + places.collect("3-3", 30)
    hidden, word, end = [], [], []
    for d in found:
        for ids, text, length in zip(d["ids"].tolist(), d["text"], d["length"].tolist()):
            hidden.append(text[:length])
            word += [names.get(i, -1) for i in ids[:length]]
            end += [0.0] * (length - 1) + [1.0]
        hidden.append(d["rows"][1])
        word += [-1] * 32
        end += [0.0] * 32
    hidden, word, end = torch.cat(hidden), torch.tensor(word), torch.tensor(end)
    named = (word >= 0).float()
    torch.manual_seed(99)
    attn = network.transformer.h[FETCH[0]].attn
    clear(attn, FETCH[1])
    strength = places.collect("2-2", 2)[0]["strength"][2]
    install(attn, FETCH[1], (12, 13), ridge(hidden, end[:, None], 1 + 4 * end),
            ridge(hidden, named[:, None], 1 + 4 * named),
            ridge(hidden, codes(word, len(SHAPES)), 0.02 + named),
            torch.linalg.qr(torch.randn(len(network.lm_head.weight[0]), len(SHAPES)))[0]
            * strength * 0.7, 12)

    found = places.collect("2-2", 60) + places.collect("3-3", 30)

    def labels(all_, names, of, which):
        return torch.tensor([-1 if i < 0 else names.index(d[of][i]) for d in all_ for i in d[which]])
    asked, rows = torch.cat([d["asked"] for d in found]), torch.cat([d["rows"][3] for d in found])
    wanted = labels(found, SHAPES, "shapes", "wanted")
    query = ridge(asked, codes(wanted, len(SHAPES)), 1 + 2 * (wanted >= 0).float())
    right = ((asked @ query).argmax(1) == wanted)[wanted >= 0].float().mean()
    print(f"the shape that is asked for is known {right:.3f} of the time")
    head = network.lm_head.weight
    say = torch.stack([sum(F.normalize(head[tokens.encode(t)[0]], dim=0)
                           for t in (n, " " + n, NAMES[n].split()[1])
                           if len(tokens.encode(t)) == 1) for n in COLORS])
    say = F.normalize(say - say.mean(0), dim=1)
    install(network.transformer.h[MATCH[0]].attn, MATCH[1], (26, 31), query,
            ridge(rows, codes(labels(found, SHAPES, "shapes", "own"), len(SHAPES))),
            ridge(rows, codes(labels(found, COLORS, "colors", "own"), len(COLORS))),
            say.t() * found[0]["strength"][4] * 0.8, 20)
    saved["network"] = network.state_dict()
    torch.save(saved, path + ".part")
    os.replace(path + ".part", path)


if __name__ == "__main__":
    main(sys.argv[1])
