"""Stage 1: the language model learns to answer from perfect objects instead of pictures.

A slot of the prefix that answers for an object is the sum of learned vectors of its colour, shape,
size and box. Scenes grow from one object to four.
"""
import random, sys
import numpy as np, torch, torch.nn as nn
from network import LANGUAGE, Network, Trainer, Words, configuration, parameters
from worlds import BINS, COLORS, QUERIES, SHAPES, SIZES, Stream, Texts, Tokens, coordinate, slots

EMPTY = len(COLORS) + len(SHAPES) + 3 + 4 * BINS


class Oracle(nn.Module):
    """Objects -> the prefix that a perfect Q-Former would give."""

    def __init__(self, width=LANGUAGE["hidden_size"]):
        super().__init__()
        self.bag = nn.EmbeddingBag(EMPTY + 1, width, mode="sum")
        with torch.no_grad():
            self.bag.weight.normal_(0, 0.15)
            t = torch.arange(BINS).float() / BINS
            waves = torch.stack([torch.cos(t * k * 3.14159) for k in (1, 2, 3, 4, 6, 8, 12)], 1)
            for i in range(4):
                first = len(COLORS) + len(SHAPES) + 3 + i * BINS
                smooth = waves @ torch.randn(waves.shape[1], width)
                self.bag.weight[first:first + BINS] = smooth / smooth.std() * 0.15

    @staticmethod
    def indices(records, places=None):
        index = np.full((len(records), QUERIES, 7), EMPTY, np.int64)
        weight = np.zeros((len(records), QUERIES, 7), np.float32)
        weight[:, :, 0] = 1
        n = len(COLORS)
        for b, record in enumerate(records):
            for o, s in zip(
                    record["objects"], places[b] if places else slots(record["objects"])):
                index[b, s] = [COLORS.index(o["color"]), n + SHAPES.index(o["shape"]),
                               n + len(SHAPES) + (SIZES + [None]).index(o["size"])] + [
                    n + len(SHAPES) + 3 + BINS * i + coordinate(v) for i, v in enumerate(o["box"])]
                weight[b, s] = 1
        return torch.from_numpy(index), torch.from_numpy(weight)

    def forward(self, records, places=None):
        index, weight = self.indices(records, places)
        out = self.bag(index.flatten(0, 1), per_sample_weights=weight.flatten(0, 1))
        return out.view(len(records), QUERIES, -1)


# relation and colour by shape are the hard ones: they get more than their share.
WEIGHTS = dict(color=2.0, shape=1.0, existence=1.2, count=1.0, size=1.0, relation=2.5, half=0.7,
               box=1.0)

if __name__ == "__main__":
    folder, steps, width, size = sys.argv[1], int(sys.argv[2]), 96, 48
    torch.set_num_threads(1)
    tokens = Tokens(folder)
    network = Network(configuration(tokens, 112), seed=3)
    model, oracle, words = network.language_model, Oracle(), Words(tokens)
    trainer = Trainer("language", folder, {"language": model, "oracle": oracle},
                      parameters([model], 0.02) + parameters([oracle], 0.0), 1e-3, steps, warm=200)
    chooser = random.Random(trainer.step)
    texts = Texts(tokens, chooser, width, WEIGHTS, caption=0.4)
    start = 10_000_000 + trainer.step * size
    streams = {p: Stream(start, p, pixels=False) for p in ("1-1", "2-2", "3-3", "4-4")}
    while trainer.going():
        # One object first, then two, then three, then all.
        done = trainer.step
        shares = [1, 0, 0, 0] if done < 300 else [2, 6, 0, 0] if done < 1500 else [
            1, 4, 4, 0] if done < 2500 else [1, 2, 3, 1]
        records = [next(streams[p])[0] for p in chooser.choices(list(streams), shares, k=size)]
        ids, segment, position, weight, label = texts.batch(records)
        with torch.autocast("cpu", torch.bfloat16):
            prefix = oracle(records)
            prefix = prefix + torch.randn_like(prefix) * 0.03
            hidden = network.speak(prefix, ids, segment, position)
            loss, facts = words.loss(network, hidden, weight, label)
        trainer.learn(loss, facts)
