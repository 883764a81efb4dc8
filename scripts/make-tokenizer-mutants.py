"""Makes Tests/Goldens/tokenizers/mutants.json: which wrong types in a tokenizer.json the reference refuses.

Every field of the small tokenizers in Tests/Goldens, vocabulary and merges left out, is taken away or
given a value of another type, one at a time. For each the golden says whether tokenizers refuses the
file, and where it does not, which ids it gives a text. With the path of a program as argument, counts
how `fovea tokenize` answers the same files.

Needs tokenizers 0.23: `python scripts/make-tokenizer-mutants.py [.build/debug/fovea]`.
"""

import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer

goldens = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens"
bases = [
    "tokenizers/byte-pairs", "tokenizers/word-pieces", "clip", "blip2", "tokenizers/digits",
    "tokenizers/split", "tokenizers/marks"]
absent = object()
values = [absent, None, True, False, 0, 1, -1, 1.5, "", "x", [], [1], {}, {"a": 1}]
names = ["absent", *(json.dumps(value) for value in values[1:])]
probe = "A  red Boat, it's 12 Kühe </s> é <mark> 猫 [MASK] x"


def fields(value, path=()):
    """The paths of all fields, tables left out and of lists the first two entries, of added tokens one."""
    first = 1 if path == ("added_tokens",) else 2
    entries = value.items() if isinstance(value, dict) else enumerate(value[:first])
    for key, inner in entries:
        here = (*path, key)
        yield here
        if here in (("model", "vocab"), ("model", "merges")):
            continue
        if isinstance(inner, (dict, list)):
            yield from fields(inner, here)


def mutant(whole, path, value):
    changed = copy.deepcopy(whole)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is absent:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(changed, ensure_ascii=False)


def reference(text):
    """The ids, or nothing; in a process of its own, for the library also panics and aborts."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            ids = Tokenizer.from_str(text).encode(probe).ids
            os.write(writer, json.dumps(ids).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        written = answer.read()
    os.waitpid(child, 0)
    return json.loads(written) if written else None


def program(path, text, folder):
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")
    line = json.dumps({"text": probe}) + "\n"
    run = subprocess.run(
        [path, "tokenize", "--model", str(folder)], input=line, capture_output=True, text=True)
    return json.loads(run.stdout)["ids"] if run.returncode == 0 else None


result = {"probe": probe, "values": names, "mutants": []}
counts = {"mutants": 0, "refused by both": 0, "same ids": 0, "refused here alone": 0,
          "read here alone": 0, "other ids": 0}
for base in bases:
    folder = goldens / base
    whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    usual = reference(json.dumps(whole, ensure_ascii=False))
    for path in fields(whole):
        answers = []
        for value, name in zip(values, names):
            text = mutant(whole, path, value)
            ids = reference(text)
            answers.append(0 if ids is None else 1 if ids == usual else ids)
            counts["mutants"] += 1
            if len(sys.argv) < 2:
                continue
            with tempfile.TemporaryDirectory() as temporary:
                ours = program(sys.argv[1], text, pathlib.Path(temporary))
            kind = (
                "refused by both" if ids is None and ours is None else "read here alone" if ids is None
                else "refused here alone" if ours is None else "same ids" if ids == ours
                else "other ids")
            counts[kind] += 1
            if kind in ("read here alone", "other ids"):
                print(base, ".".join(map(str, path)), name, kind)
        result["mutants"].append({"base": base, "path": list(path), "answers": answers})
lines = ",\n".join(
    json.dumps(entry, ensure_ascii=False, separators=(",", ":")) for entry in result.pop("mutants"))
head = json.dumps(result, ensure_ascii=False)[:-1]
(goldens / "tokenizers" / "mutants.json").write_text(
    head + ', "mutants": [\n' + lines + "\n]}\n", encoding="utf-8")
print(json.dumps(counts, indent=1))
