"""Tokens of the small Qwen-VL, its prompts, and how dialogues are packed behind pictures."""
import math, os
import numpy as np, tiktoken, torch
from tiktoken.load import load_tiktoken_bpe
from qwen_network import ROWS

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SYSTEM = "You are a helpful assistant."
MARKS = ["<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"]


class QwenTokens:
    def __init__(self, folder):
        path = os.path.join(folder, "qwen.tiktoken")
        ranks = load_tiktoken_bpe(path)
        names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>",
                 *(f"<|extra_{i}|>" for i in range(205)), *MARKS]
        self.special = {name: len(ranks) + i for i, name in enumerate(names)}
        self.encoding = tiktoken.Encoding(
            "qwen", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=self.special)
        self.count = (self.encoding.n_vocab + 63) // 64 * 64
        self.end = self.special["<|endoftext|>"]
        self.stop = self.special["<|im_end|>"]
        self.image = self.special["<img>"]
        self.cache = {}
        line = self.encode("\n")
        start, stop = [self.special["<|im_start|>"]], [self.stop]
        # Role, line end and content are encoded apart, as the published code does it.
        self.system = start + self.encode("system") + line + self.encode(SYSTEM) + stop
        self.user = line + start + self.encode("user") + line
        self.assistant = stop + line + start + self.encode("assistant") + line
        self.line = line

    def encode(self, text):
        if text not in self.cache:
            if len(self.cache) > 300000:
                self.cache.clear()
            self.cache[text] = self.encoding.encode(text, allowed_special=set(MARKS))
        return self.cache[text]

    def decode(self, ids):
        return self.encoding.decode(ids)

    def before(self, picture):
        """What stands before a picture's rows."""
        start = self.system + self.user if picture == 1 else []
        return start + self.encode(f"Picture {picture}: ") + [self.image]

    @property
    def after(self):
        """What stands behind a picture's rows."""
        return [self.special["</img>"]] + self.line

    def turns(self, turns):
        """The ids of [(question, answer), …] behind the pictures, and which of them are answers:
        their number, from 1; the end of an answer is part of it."""
        ids, asked = [], []
        for number, (question, answer) in enumerate(turns):
            prompt = ([] if number == 0 else self.user) + self.encode(question) + self.assistant
            reply = self.encode(answer) + [self.stop]
            ids += prompt + reply
            asked += [0] * len(prompt) + [number + 1] * len(reply)
        return ids, asked


class Pack:
    """Dialogues about the same pictures in one row of `width` tokens; they do not see each other."""

    def __init__(self, tokens, width):
        self.tokens, self.width = tokens, width

    def row(self, dialogues):
        """`dialogues` as [(turns, weight)] -> ids, segment, position, weight, label."""
        width = self.width
        ids = np.full(width, self.tokens.end, np.int64)
        segment, position = np.zeros(width, np.int64), np.zeros(width, np.int64)
        weight, label = np.zeros(width, np.float32), np.zeros(width, np.int64)
        used, number, missed = 0, 0, 0
        for turns, heavy in dialogues:
            said, asked = self.tokens.turns(turns)
            n = len(said) - 1
            if used + n > width:
                missed += 1
                if missed > 4:
                    break
                continue
            number += 1
            place = slice(used, used + n)
            ids[place], label[place] = said[:-1], said[1:]
            marks = np.array(asked[1:])
            lengths = np.bincount(marks)
            weight[place] = np.where(marks > 0, heavy / np.sqrt(lengths[marks]), 0)
            segment[place], position[place] = number, np.arange(n)
            used += n
        return ids, segment, position, weight, label

    def batch(self, rows):
        made = [self.row(r) for r in rows]
        return [torch.from_numpy(np.stack([r[i] for r in made])) for i in range(5)]


def prefix(network, tokens, rows, chosen):
    """Embedded start of a prompt: one [B, R, width] and [B, R] of places for each picture.

    -> embedded, positions. The rows stand at their own places among the 256, whichever are there."""
    parts, places, at = [], [], 0
    b = len(rows[0])
    wte = network.transformer.wte.weight

    def words(ids):
        nonlocal at
        parts.append(wte[torch.tensor(ids)][None].expand(b, -1, -1))
        places.append(torch.arange(at, at + len(ids))[None].expand(b, -1))
        at += len(ids)
    for number, (row, where) in enumerate(zip(rows, chosen)):
        words(tokens.before(number + 1))
        parts.append(row)
        places.append(at + where)
        at += ROWS
        words(tokens.after)
    return torch.cat(parts, 1), torch.cat(places, 1), at


def packed(network, start, places, at, batch):
    """Hidden states of packed dialogues behind `start`."""
    ids, segment, position = batch[:3]
    b, count = start.shape[:2]
    x = torch.cat([start, network.transformer.wte(ids)], 1)
    place = torch.cat([places, position + at], 1)
    n = x.shape[1]
    mask = torch.zeros(b, n, n, dtype=torch.bool)
    mask[:, :count, :count] = True
    mask[:, count:, :count] = True
    mask[:, count:, count:] = segment[:, :, None] == segment[:, None, :]
    mask &= torch.ones(n, n, dtype=torch.bool).tril()
    bias = torch.zeros(b, 1, n, n).masked_fill(~mask[:, None], -1e4)
    return network.speak(x, place, bias)[0][:, count:]
