"""Makes Tests/Goldens/tokenizers/ranks: a small vocabulary in Qwen-VL's form, trained here, and what tiktoken
makes of hard texts with it.

What stands between <img> and </img> is laid out here as the model's own tokenizer does: the bytes of the path
as ids, then <imgpad>.

Needs tiktoken 0.14 and Python 3.11 (Unicode 14): `python scripts/make-rank-goldens.py`.
"""

import base64
import collections
import json
import pathlib
import random
import unicodedata

import regex
import tiktoken

place = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens" / "tokenizers" / "ranks"
pattern = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
           r"\s*[\r\n]+|\s+(?!\S)|\s+")
sentences = """
The red boat waits by the old pier while two gulls argue over a crumb of bread.
A small boy in a yellow coat counts the waves, 1, 2, 34, 567, and loses his place.
Where is the lighthouse? It's behind the hill, they've painted it blue and white.
We'LL see THE iPhone, an HTTPServer and http://a.b/c?d=2024 //\n\n  def f(x):\n    return x
Café chairs, a naïve drawing, a crème brûlée: the menu was longer than the evening.
一只猫坐在窗边看雨。孩子们在画红色的圆。图中有一个红色的圆和一只猫。
Picture 1: a boat, a gull and a boy. Picture 2: 圆。
system\nYou are a helpful assistant.\nuser\nassistant\n
""".strip("\n").split("\n")
tags = ["<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"]
names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [f"<|extra_{i}|>" for i in range(205)] + tags

pieces = [
    *"the boat, gull's don't they've WE'LL I'm he'D 'ſ 'S 3 12 2024 7:45 BOAT iPhone HTTPServer ½ ² ٣ Ⅷ".split(),
    *"猫 画面。 가나 हिन्दी ไทย 🇩🇪 ǅ ʰ 𝔘𝔫 // a/b Å ﬁ Ω Ḍ̇ <|im_end|> <|endoftext|> <|extra_7|>".split(),
    *"<ref>boy</ref> <box>(21,29),(526,837)</box> <img>a/b.png</img> <img></img> <img>猫.jpg</img>".split(),
    "<img>Å e\u0301.png</img>", "<img>\u0338", "<\u0338", "<imgpad>",
    " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "'", "e\u0301", "\u0323\u0301",
    "\u1100\u1161\u11a8", "👩\u200d👩\u200d👧", "🍕\ufe0f", "\u0000", "\ufffd", "...", "!!!\n\n",
    "\U00016ff4", "\U00011935\U00011930", "a\u1ac1\u0323", "a\u08ca\u0323", "_", " \t ", "\n \n", "x\n",
]


def train(count):
    """Byte pairs by frequency; some pairs are passed over, so that some tokens are made of no two others."""
    ranks = {}
    for byte in [*range(33, 127), *range(161, 173), *range(174, 256)]:
        ranks[bytes([byte])] = len(ranks)
    for byte in range(256):
        ranks.setdefault(bytes([byte]), len(ranks))
    words = [[bytes([byte]) for byte in word.encode()]
             for sentence in sentences * 2 for word in regex.findall(pattern, sentence)]
    merges = 0
    while len(ranks) < count:
        merges += 1
        pairs = collections.Counter(pair for word in words for pair in zip(word, word[1:]))
        (left, right), _ = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if merges % 23:
            ranks.setdefault(left + right, len(ranks))
        for word in words:
            at = 0
            while at + 1 < len(word):
                if (word[at], word[at + 1]) == (left, right):
                    word[at:at + 2] = [left + right]
                at += 1
    return ranks


ranks = train(500)
special = {name: len(ranks) + place for place, name in enumerate(names)}
encoding = tiktoken.Encoding("small", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)
start, end, padding = special["<img>"], special["</img>"], special["<imgpad>"]


def encode(text, allowed):
    ids = encoding.encode(unicodedata.normalize("NFC", text), allowed_special=allowed, disallowed_special=())
    laid, at = [], 0
    while start in ids[at:]:
        first = ids.index(start, at)
        last = ids.index(end, first)
        path = b"".join(encoding.decode_single_token_bytes(i) for i in ids[first + 1:last])
        assert len(path) <= 256 and not any(i >= len(ranks) for i in ids[first + 1:last])
        laid += ids[at:first + 1] + list(path) + [padding] * (256 - len(path)) + [end]
        at = last + 1
    assert end not in ids[at:]
    return laid + ids[at:]


def squeezed(ids):
    """Runs of padding as their length below zero: 250 times the same number is no reading."""
    made = []
    for number in ids:
        if number != padding:
            made.append(number)
        elif made and made[-1] < 0:
            made[-1] -= 1
        else:
            made.append(-1)
    return made


def texts(count, seed):
    chance = random.Random(seed)
    made = ["", " ", "  ", " a", "a ", sentences[5], sentences[7]]
    while len(made) < count:
        made.append(chance.choice(["", " "]).join(chance.choices(pieces, k=chance.randint(2, 8))))
    return made


def cases(seed):
    chance = random.Random(seed)
    for text in texts(160, seed):
        case = {"text": text, "none": squeezed(encode(text, set()))}
        for key, allowed in (("tags", set(tags)), ("all", "all")):
            try:
                case[key] = squeezed(encode(text, allowed))
            except (ValueError, AssertionError):
                case[key] = None
        drawn = [chance.choice([chance.randrange(len(ranks)), chance.randrange(259), len(ranks) + chance.randrange(9)])
                 for _ in range(chance.randint(1, 9))]
        case["drawn"] = drawn
        case["decoded"] = encoding.decode(drawn)
        case["bare"] = encoding.decode([i for i in drawn if i < len(ranks)])
        yield case


place.mkdir(parents=True, exist_ok=True)
(place / "qwen.tiktoken").write_bytes(
    b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in ranks.items()))
(place / "tokenizer_config.json").write_text(
    json.dumps({"model_max_length": 8192, "tokenizer_class": "QWenTokenizer"}) + "\n")
lines = ",\n".join(json.dumps(case) for case in cases(31))
(place / "vectors.json").write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
