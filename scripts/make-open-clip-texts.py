"""Makes Tests/Goldens/clip-open/texts.json: what OpenCLIP makes of odd texts, cleaned and as token ids.

The vocabulary is that of the folder itself, given to OpenCLIP's own tokenizer. Needs open_clip 3.3 and
ftfy 6.3: `python scripts/make-open-clip-texts.py [COUNT SEED]`; with a count it writes that many
texts of another seed to standard output, for a longer trial.
"""

import gzip
import json
import pathlib
import random
import sys
import tempfile

import ftfy.bad_codecs
from open_clip.tokenizer import SimpleTokenizer, _clean_lower

folder = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens" / "clip-open"
whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
vocabulary = whole["model"]["vocab"]
for token in whole["added_tokens"]:
    vocabulary[token["content"]] = token["id"]
merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in whole["model"]["merges"]]
with tempfile.TemporaryDirectory() as temporary:
    path = pathlib.Path(temporary) / "merges.txt.gz"
    path.write_bytes(gzip.compress("\n".join(["#version", *merges]).encode()))
    tokenizer = SimpleTokenizer(str(path))
spelled = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}


def ids(text):
    own = [tokenizer.sot_token_id, *tokenizer.encode(text), tokenizer.eot_token_id]
    names = [tokenizer.decoder[one] for one in own]
    return [vocabulary[spelled.get(name, name)] for name in names]


phrases = """
A photo of a cat|It's a red circle!|Café chairs, a naïve drawing, a crème brûlée|Straße und Öl: 20 € für “Müller”
Где находится библиотека?|Ξεσκεπάζω την ψυχοφθόρα βδελυγμία|Příliš žluťoučký kůň úpěl ďábelské ódy
Zażółć gęślą jaźń|日本語のテキスト|한국어 텍스트|مرحبا بالعالم|हिन्दी में पाठ|Ąžuolas, šeši žąsys
“Curly” quotes and ‘single’ ones — an em dash… and more|¿Qué pasa? ¡Nada! Él dijo «sí»|naïve façade, coöperate
price: £5 or ¥500, 10° ±2|© 2020 Example™ ®|smörgåsbord — Ærøskøbing|ﬁ ﬂ ﬃ ﬆ ĳ Ǆ ŉ|ＦＵＬＬ ｗｉｄｔｈ　ﾊﾝｶｸ ｶﾞ ﾡ ￣
🍕 pizza 👩‍👩‍👧 family 🇫🇷|ΟΔΥΣΣΕΥΣ ΣΟΦΟΣ ΑΣ.|İstanbul ISPARTA ı|e\u0301 a\u0323\u0302 \u1100\u1161\u11a8|½ ² Ⅷ ٣
x = a < b && c > d|à la mode, là-bas, voilà, fàcil|déjà vu: às vezes àquele|ÃÂ Â Â£5 Â°|Ã la mode, Ã s vezes, fÃ cil
""".replace("\n", "|").split("|")
phrases = [phrase for phrase in phrases if phrase]
entities = [
    "&amp;", "&lt;b&gt;", "&quot;x&quot;", "&#39;", "&#x27;", "&eacute;", "&EACUTE;", "&NTILDE;", "&amp;amp;",
    "&ampamp;", "&nbsp;", "&copy", "&copy;", "&notit;", "&notin;", "&hellip;", "&#8217;", "&#128;", "&#x9d;",
    "&#0;", "&#1;", "&#xD800;", "&#x110000;", "&#99999999999;", "&#xFFFE;", "&#x1F355;", "&unknown;", "&",
    "&;", "&#;", "&#x;", "&AMP", "&Amp;", "&SZLIG;", "&szlig;", "&ffilig;", "&amp;lt;", "&amp;amp;lt;",
    "&amp;amp;amp;lt;", "&acE;", "&CounterClockwiseContourIntegral;", "&#13;", "&#10;", "&LT", "&ltx", "&times&",
]
marks = [
    " ", "  ", "\t", "\n", "\r\n", "\r", "\u00a0", "\u3000", "\u2028", "\u0085", "\u001c", "\u200b", "\ufeff",
    "\u0000", "\u0007", "\u001b[31mred\u001b[0m", "\u001b[", "\u007f", "\u0080", "\u0092", "\u009d", "\u00ad",
    "\ufffd", "\ufff9", "\u206a", "<", ">", "'S", "'re", "'LL", "<|startoftext|>", "<|endoftext|>", "<|STARTOFTEXT|>",
    "<start_of_text>", "<end_of_text>", "<START_OF_TEXT>", "<end_of_text", "12", "3.5", "…", "„", "‚", "’", "‘", "”",
    "\u02bc", "ſ", "ẞ", "K", "Å", "\U000e0045\u0330", "\U00011099\U000110ba", "𝕏", "\u0344", "\u1e9b\u0323",
]
encodings = [
    "latin-1", "sloppy-windows-1252", "sloppy-windows-1251", "sloppy-windows-1250", "sloppy-windows-1253",
    "sloppy-windows-1254", "sloppy-windows-1257", "iso-8859-2", "macroman", "cp437",
]


def garbled(text, chance):
    """UTF-8 read as something else, once or more, and damaged a little."""
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        text = text.encode("utf-8", "replace").decode(chance.choice(encodings), "replace")
        if chance.random() < 0.2:
            text = text.replace("\u00a0", " ")
        if chance.random() < 0.1 and text:
            place = chance.randrange(len(text))
            text = text[:place] + chance.choice(["?", "\ufffd", " ", ""]) + text[place + 1:]
    return text[:160]


def texts(count, seed):
    chance = random.Random(seed)
    made = [*phrases, *entities, *marks, "", " "] if seed == 7 else []
    while len(made) < count:
        kind = chance.randrange(6)
        if kind < 2:
            made.append(garbled(chance.choice(phrases), chance))
        elif kind == 2:
            made.append(garbled(chance.choice(phrases), chance) + " " + chance.choice(phrases))
        elif kind == 3:
            made.append("".join(chance.choices(entities + marks + ["a", "Photo "], k=chance.randint(2, 7))))
        elif kind == 4:
            made.append(" ".join(chance.choices(phrases + entities + marks, k=chance.randint(2, 4)))[:160])
        else:
            pool = "ÃÂâ€™œ\u009d£©®±²³µ¶»¿ÀÉÐ×ØÙßàéíðóü ŸŽž‚„…†‡ˆ‰Š‹Œ‘’“”•–—˜š›Ђвр€ћаΒΓβāŁłęä|a?\u001a┬│╔√∂≈∞ŕ Az.,!\n"
            made.append("".join(chance.choices(pool, k=chance.randint(2, 12))))
    return made


if len(sys.argv) > 1:
    for text in texts(int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps({"text": text, "cleaned": _clean_lower(text), "ids": ids(text)}))
else:
    lines = ",\n".join(
        json.dumps({"text": text, "cleaned": _clean_lower(text),
                    **({"ids": ids(text)} if place % 4 == 0 or "_text>" in text.lower() else {})})
        for place, text in enumerate(texts(520, 7)))
    (folder / "texts.json").write_text("[\n" + lines + "\n]\n", encoding="utf-8")
