"""What can truly be said of a scene, in many forms, and how it is made untrue: the texts of the
small CLIP."""
import random
from worlds import COLORS, SHAPES, SIDE, SIZES

LEADS = ["", "", "", "", "a picture of ", "a photo of "]
ROWS, COLUMNS = ["top", "", "bottom"], ["left", "", "right"]


def middle(o):
    left, top, right, bottom = o["box"]
    return (left + right) / 2, (top + bottom) / 2


def place(o):
    """Where the middle is, on a grid of three by three: "at the top left", "on the right"."""
    x, y = middle(o)
    row, column = ROWS[min(2, int(y * 3 / SIDE))], COLUMNS[min(2, int(x * 3 / SIDE))]
    if row:
        return f"at the {row} {column}".strip()
    return f"on the {column}" if column else "in the middle"


def article(words):
    return " ".join(["a", *words])


def joined(names):
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def ordered(objects):
    return sorted(objects, key=lambda o: o["box"][0] + o["box"][2])


def whole(objects):
    """Texts that name everything there is, from left to right: form -> text."""
    objects = ordered(objects)
    sized = [article([o["size"], o["color"], o["shape"]]) for o in objects]
    plain = [article([o["color"], o["shape"]]) for o in objects]
    return {"caption": joined(sized), "unsized": joined(plain),
            "placed": joined([f"{n} {place(o)}" for n, o in zip(sized, objects)]),
            "unsized placed": joined([f"{n} {place(o)}" for n, o in zip(plain, objects)])}


def parts(objects):
    """Texts about one object or two, in a fixed order: (form, text)."""
    for o in objects:
        yield "name", article([o["color"], o["shape"]])
        yield "name", f"{o['color']} {o['shape']}"
        yield "full name", article([o["size"], o["color"], o["shape"]])
        yield "placed name", article([o["color"], o["shape"], place(o)])
        yield "shape", article([o["shape"]])
        yield "color", f"something {o['color']}"
    for o in objects:
        for p in objects:
            if o is p:
                continue
            (x, y), (u, v) = middle(o), middle(p)
            for true, word in ((u - x >= 24, "left of"), (x - u >= 24, "right of"),
                               (v - y >= 24, "above"), (y - v >= 24, "below")):
                if true:
                    yield "relation", (f"a {o['color']} {o['shape']} {word} "
                                       f"a {p['color']} {p['shape']}")


def truths(objects):
    """Every text that is true of the scene -> how well it fits: one that names everything fits
    better than one that names a part."""
    result = {text: 0.25 for _, text in parts(objects)}
    result.update({text: 1.0 for text in whole(objects).values()})
    return result


FORMS = {"caption": 36, "unsized": 10, "placed": 12, "unsized placed": 6, "name": 6, "full name": 4,
         "placed name": 11, "shape": 1, "color": 1, "relation": 13}
OPPOSITES = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
PLACES = ["at the top left", "at the top", "at the top right", "on the left", "in the middle",
          "on the right", "at the bottom left", "at the bottom", "at the bottom right"]


def say(objects, chooser, form=None):
    """A true text, drawn by form: (form, number within the form, text)."""
    forms = whole(objects)
    said = list(parts(objects))
    while True:
        form = form or chooser.choices(list(FORMS), FORMS.values())[0]
        if form in forms:
            return form, 0, forms[form]
        candidates = [t for f, t in said if f == form]
        if candidates:
            k = chooser.randrange(len(candidates))
            return form, k, candidates[k]
        form = None     # no relation in a scene of one object


def spoiled(objects, chooser):
    """The objects with one thing changed: a colour, a shape, a size, two colours, two places."""
    wrong = [dict(o) for o in objects]
    o = chooser.choice(wrong)
    kind = chooser.choice(["color", "shape", "size"] + ["colors", "shapes", "places", "places"]
                          * (len(objects) > 1))
    if kind == "color":
        o["color"] = chooser.choice([c for c in COLORS if c != o["color"]])
    elif kind == "shape":
        o["shape"] = chooser.choice([s for s in SHAPES if s != o["shape"]])
    elif kind == "size":
        o["size"] = SIZES[1 - SIZES.index(o["size"])]
    else:
        p = chooser.choice([p for p in wrong if p is not o])
        name = {"colors": "color", "shapes": "shape", "places": "box"}[kind]
        o[name], p[name] = p[name], o[name]
    return wrong


def misplaced(form, text, chooser):
    """A text of places that says another place; nothing for other forms."""
    if form == "relation":
        word = next(w for w in OPPOSITES if f" {w} a " in text)
        return text.replace(f" {word} a ", f" {OPPOSITES[word]} a ")
    if form == "placed name":
        said = max((p for p in PLACES if text.endswith(p)), key=len)
        return text.removesuffix(said) + chooser.choice([p for p in PLACES if p != said])
    return None


def untrue(objects, form, said, true, chooser):
    """A text of the same form that is not true of the scene."""
    if chooser.random() < 0.7:
        text = misplaced(form, said, chooser)
        if text and text not in true:
            return text
    for _ in range(20):
        text = say(spoiled(objects, chooser), chooser, form)[2]
        if text not in true:
            return text
    return "an empty picture"


NAMES = [f"a {c} {s}" for c in COLORS for s in SHAPES]
