"""Makes Tests/Goldens/tokenizers/composed-forms.json: Unicode's forms C and D of characters and sequences.

Of every character that has parts, Hangul's syllables but for a few left out, and of sequences drawn
from what composes, characters beyond the first plane among them. Needs Python alone, with Unicode 14:
`python scripts/make-composed-forms.py`.
"""

import json
import pathlib
import random
import unicodedata

folder = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens" / "tokenizers"


def entry(text):
    forms = (text, unicodedata.normalize("NFC", text), unicodedata.normalize("NFD", text))
    return [" ".join(f"{ord(character):X}" for character in form) for form in forms]


def parted():
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000 or 0xAC00 <= point <= 0xD7A3 and point % 977:
            continue
        if unicodedata.normalize("NFD", chr(point)) != chr(point):
            yield chr(point)


characters = list(parted())
chance = random.Random(3)
marks = [chr(point) for point in range(0x110000)
         if not 0xD800 <= point < 0xE000 and unicodedata.combining(chr(point))]
parts = sorted({part for character in characters for part in unicodedata.normalize("NFD", character)})
beyond = [chr(point) for point in (0xE0045, 0x10041, 0x20061, 0x1F345, 0x30065, 0x11131, 0x11347, 0x114B9)]
sequences = ["".join(chance.choices(parts + beyond * 40, k=2)) for _ in range(250)]
sequences += ["".join(chance.choices(parts + marks + characters + beyond * 40, k=chance.randint(3, 7)))
              for _ in range(250)]
sequences += [base + mark for base in beyond for mark in ("\u0330", "\u0301", "\u0327", "\U0001113e")]
sequences += ["\u1100\u1161\u11a8", "\uac00\u11a7", "\uac00\u11c2", "\u1112\u1175", "\u1113\u1161"]
result = {"unicode": unicodedata.unidata_version,
          "characters": [entry(character) for character in characters],
          "sequences": [entry(sequence) for sequence in sequences]}
text = json.dumps(result, separators=(",", ":")).replace("],[", "],\n[")
(folder / "composed-forms.json").write_text(text + "\n", encoding="utf-8")
