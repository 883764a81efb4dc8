"""Tokens of the small Qwen-VL, its prompts, and how dialogues are packed behind pictures."""
import os
import numpy as np, tiktoken, torch
from tiktoken.load import load_tiktoken_bpe
from qwen_network import ROWS

PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
           r"|\s*[\r\n]+|\s+(?!\S)|\s+")
SYSTEM = "You are a helpful assistant."
MARKS = ["<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"]

GROUPS = dict(
    color="red green blue yellow black gray brown teal 红色 绿色 蓝色 黄色 黑色 灰色 棕色 青色",
    shape="circle rectangle triangle star cross 圆形 矩形 三角形 星形 十字",
    size="small large 小的 大的", yes="yes no 是的 不是 有 没有 一样 不一样",
    digit="0 1 2 3 4 5 6 7 8 9", side="left right top bottom 左边 右边 上方 下方")

DIGITS_WEIGH = 2.5    # learned slowly, and few among the tokens of a box


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
        self.cache, self.found, self.said = {}, {}, {}
        line = self.encode("\n")
        start, stop = [self.special["<|im_start|>"]], [self.stop]
        # Role, line end and content are encoded apart, as the published code does it.
        self.system = start + self.encode("system") + line + self.encode(SYSTEM) + stop
        self.user = line + start + self.encode("user") + line
        self.assistant = stop + line + start + self.encode("assistant") + line
        self.line = line
        self.digits = torch.tensor([self.encode(str(i))[0] for i in range(10)])
        # What an answer's tokens are about, for the log.
        self.groups = {name: torch.tensor(sorted({
            self.encode(text)[0] for word in words.split() for text in (word, " " + word)
            if len(self.encode(text)) == 1})) for name, words in GROUPS.items()}

    def encode(self, text):
        if text not in self.cache:
            if len(self.cache) > 300000:
                self.cache.clear()
            self.cache[text] = self.encoding.encode(text, allowed_special=set(MARKS))
        return self.cache[text]

    def decode(self, ids):
        return self.encoding.decode(ids)

    def word(self, token):
        """A token's text, empty for a special one."""
        if token not in self.said:
            text = self.encoding.decode_single_token_bytes(token).decode("utf-8", "replace")
            self.said[token] = "" if token in self.special.values() else text
        return self.said[token]

    def before(self, picture):
        """What stands before a picture's rows."""
        start = self.system + self.user if picture == 1 else []
        return start + self.encode(f"Picture {picture}: ") + [self.image]

    @property
    def after(self):
        """What stands behind a picture's rows."""
        return [self.special["</img>"]] + self.line

    def turns(self, turns):
        """The ids of [(question, answer), …] behind the pictures, which of them are answers (their
        number, from 1; the end of an answer is part of it), which are digits of a place, and whose."""
        ids, asked, digits, names = [], [], [], []
        for number, (question, answer) in enumerate(turns):
            prompt = ([] if number == 0 else self.user) + self.encode(question) + self.assistant
            reply = self.encode(answer) + [self.stop]
            ids += prompt + reply
            asked += [0] * len(prompt) + [number + 1] * len(reply)
            places, whose = self.places(answer, reply)
            digits += [-1] * len(prompt) + places
            names += [None] * len(prompt) + whose
        return ids, asked, digits, names

    def places(self, answer, reply):
        """For the digits of boxes: n for the first digit of the number 10 n, 100 + n for the second
        of three; -1 for all else. And what the box is a box of, at each of them."""
        if answer not in self.found:
            result, names = [-1] * len(reply), [None] * len(reply)
            i, inside, begin = 0, False, 0
            while i < len(reply):
                text = self.encoding.decode_single_token_bytes(reply[i])
                begin = i + 1 if text == b"<ref>" else begin
                if text == b"</ref>":
                    name = self.decode(reply[begin: i])
                inside = text == b"<box>" or inside and text != b"</box>"
                run = 0
                while inside and self.encoding.decode_single_token_bytes(reply[i + run]).isdigit():
                    run += 1
                if run:
                    number = int(self.decode(reply[i: i + run])) // 10
                    result[i], names[i] = number, name
                    if run == 3:
                        result[i + 1], names[i + 1] = 100 + number, name
                i += max(1, run)
            if len(self.found) > 300000:
                self.found.clear()
            self.found[answer] = result, names
        return self.found[answer]


class Pack:
    """Dialogues about the same pictures in one row of `width` tokens; they do not see each other."""

    def __init__(self, tokens, width, facts):
        """`facts` tells numbers of a question that the place of its answer is asked for."""
        self.tokens, self.width = tokens, width
        self.facts = facts

    def nouns(self, said, turns):
        """Where a shape is named with what stands before it, as (place, words); not of two pictures."""
        if any("picture" in t[0].lower() or "张图" in t[0] for t in turns):
            return
        words = [self.tokens.word(i) for i in said[:-1]]
        for i, word in enumerate(words):
            if any(self.facts(word)[8:13]):
                before = [w for w in words[max(0, i - 2): i]
                          if any(self.facts(w)[:8] + self.facts(w)[13:15])]
                yield i, " ".join(before + [word])

    def phrases(self, said, asked):
        """Before each word of an answer that is one of several which name an object, as (place, all of
        them)."""
        phrase = []
        for i, token in enumerate(said):
            word = self.tokens.word(token)
            if asked[i] and any(self.facts(word)[:15]):
                phrase.append((i, word))
                continue
            if len(phrase) > 1:
                for place, _ in phrase:
                    yield place - 1, " ".join(w for _, w in phrase)
            phrase = []

    def row(self, dialogues):
        """`dialogues` as [(turns, weight)] -> ids, segment, position, weight, label, digits, where answers
        begin, what is spoken of there and elsewhere; 2 at nouns of questions, 1 at all else that speaks
        of an object."""
        width = self.width
        ids = np.full(width, self.tokens.end, np.int64)
        segment, position = np.zeros(width, np.int64), np.zeros(width, np.int64)
        weight, label = np.zeros(width, np.float32), np.zeros(width, np.int64)
        digits = np.full(width, -1, np.int64)
        looks = np.zeros(width, np.int64)
        begins, told = np.zeros(width, bool), np.zeros((width, len(self.facts(""))), np.float32)
        used, number, missed = 0, 0, 0
        for turns, heavy in dialogues:
            said, asked, places, names = self.tokens.turns(turns)
            n = len(said) - 1
            if used + n > width:
                missed += 1
                if missed > 4:
                    break
                continue
            number += 1
            place = slice(used, used + n)
            ids[place], label[place] = said[:-1], said[1:]
            digits[place] = places[1:]
            marks = np.array(asked[1:])
            lengths = np.bincount(marks)
            weight[place] = np.where(marks > 0, heavy / np.sqrt(lengths[marks]), 0)
            weight[place] *= np.where(digits[place] >= 0, DIGITS_WEIGH, 1)
            segment[place], position[place] = number, np.arange(n)
            first = np.flatnonzero(np.diff(marks, prepend=0) * (marks > 0)) + used
            begins[first] = True
            told[first] = [self.facts(question) for question, _ in turns]
            for i, name in self.nouns(said, turns):
                told[used + i], looks[used + i] = self.facts(name), 2
            for i, name in self.phrases(said, asked):
                told[used + i], looks[used + i] = self.facts(name), 1
            for i, name in enumerate(names[1:]):
                if name:
                    told[used + i], looks[used + i] = self.facts(name), 1
            used += n
        return ids, segment, position, weight, label, digits, begins, told, np.where(begins, 1, looks)

    def batch(self, rows):
        made = [self.row(r) for r in rows]
        return [torch.from_numpy(np.stack([r[i] for r in made])) for i in range(9)]


def near_digits(spread=1.3):
    """What the digits of a place may be when a place near it is nearly as right: [200, 10]."""
    n = np.arange(100)
    chance = np.exp(-(n[:, None] - n) ** 2 / (2 * spread ** 2))
    first = np.where(n < 10, n, n // 10)
    one = np.stack([(chance * (first == d)).sum(1) for d in range(10)], 1)
    same = chance * ((n[:, None] // 10 == n // 10) & (n >= 10))
    two = np.stack([(same * (n % 10 == d)).sum(1) for d in range(10)], 1)
    both = np.concatenate([one, two])
    return torch.from_numpy(both / np.maximum(both.sum(1, keepdims=True), 1e-9)).float()


NEAR_DIGITS = near_digits()


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
    network.bias = bias
    return network.speak(x, place, bias)[0][:, count:]
