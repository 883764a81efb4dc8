"""Makes Sources/Tokenizers/Cleaning/Tables: the characters that show text decoded by mistake, and HTML's names.

Facts alone: which characters belong to which class of ftfy's, what the bytes of ten encodings stand for,
and the names of characters in HTML 5, from Python's own table.

Needs ftfy 6.3: `python scripts/make-cleaning-tables.py`.
"""

import html.entities
import pathlib
import re

import ftfy.bad_codecs
from ftfy import badness, chardata

folder = pathlib.Path(__file__).parent.parent / "Sources" / "Tokenizers" / "Cleaning" / "Tables"
folder.mkdir(parents=True, exist_ok=True)
made = "// Made by scripts/make-cleaning-tables.py.\n\n"


def ranges(characters):
    """Code points as `80-9F A0`, of the inside of a class in a pattern."""
    inside = re.compile(f"[{characters}]")
    points = [point for point in range(0x11000) if inside.match(chr(point))]
    out, start = [], None
    for place, point in enumerate(points):
        if start is None:
            start = point
        if place + 1 == len(points) or points[place + 1] != point + 1:
            out.append(f"{start:X}" if start == point else f"{start:X}-{point:X}")
            start = None
    return " ".join(out)


def lines(text, width=88, indent="      "):
    """A text cut at spaces into lines of a multi-line literal."""
    out, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) + 1 > width:
            out.append(line)
            line = ""
        line += (" " if line else "") + word
    return "\n".join(indent + one + (" \\" if place < len(out) else "")
                     for place, one in enumerate([*out, line]))


def cases(table):
    for name, characters in table.items():
        words = name.split("_")
        camel = words[0] + "".join(word.capitalize() for word in words[1:])
        yield f'    ("{camel}",\n      """\n{lines(ranges(characters))}\n      """),\n'


(folder / "MojibakeClasses.swift").write_text(
    made + "extension Mojibake {\n"
    "  /// Classes of characters that appear where UTF-8 was read as something else: their code points.\n"
    "  static let classes: [(name: String, points: String)] = [\n" + "".join(cases(badness.MOJIBAKE_CATEGORIES))
    + "  ]\n\n  /// What the bytes of UTF-8 look like in encodings of one byte, by their place in a character.\n"
    "  static let places: [(name: String, points: String)] = [\n"
    + "".join(cases(chardata.UTF8_CLUES)) + "  ]\n}\n", encoding="utf-8")

encodings = []
for encoding in chardata.CHARMAP_ENCODINGS:
    decoded = bytes(range(0x80, 0x100)).decode(encoding)
    points = " ".join(f"{ord(character):X}" for character in decoded)
    name = encoding.removeprefix("sloppy-")
    encodings.append(f'    ("{name}", {str(name != encoding).lower()},\n      """\n{lines(points)}\n      """),\n')
(folder / "ByteEncodings.swift").write_text(
    made + "extension ByteEncoding {\n"
    "  /// Encodings in the order they are tried: name, whether undefined bytes are kept, and the characters\n"
    "  /// of the bytes from 80 on.\n"
    "  static let tables: [(name: String, isLenient: Bool, points: String)] = [\n"
    + "".join(encodings) + "  ]\n}\n", encoding="utf-8")

names = []
bare = []
for name, text in sorted(html.entities.html5.items()):
    if name.endswith(";"):
        names.append(name[:-1] + "=" + "+".join(f"{ord(character):X}" for character in text))
    else:
        bare.append(name)
(folder / "HTMLNames.swift").write_text(
    made + "extension HTMLEntities {\n  /// HTML 5's names of characters, each with its code points.\n"
    '  static let table = """\n' + lines(" ".join(names), width=94, indent="    ") + '\n    """\n\n'
    "  /// Those that also count without a semicolon.\n"
    '  static let bareNames = """\n' + lines(" ".join(bare), width=94, indent="    ") + '\n    """\n}\n',
    encoding="utf-8")
