#!/usr/bin/env python3
"""Writes Tests/Goldens/safetensors-cases.json: small safetensors files, right and wrong.

Each case has the file's bytes (as Latin-1 text), the rule our reader says it breaks (null where it
is accepted), and whether the reference reader accepts it: `python -m pip install safetensors`.
Where the two differ on purpose, `stricter` says why.
"""
import json
import pathlib
import struct

import safetensors

H = '{"x":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'


def tensor(dtype="F32", shape="[2,2]", offsets="[0,16]", extra=""):
    return '{"x":{"dtype":"%s","shape":%s,"data_offsets":%s%s}}' % (dtype, shape, offsets, extra)


def two(first, second):
    return (
        '{"a":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]},'
        '"b":{"dtype":"U8","shape":[%d],"data_offsets":[%d,%d]}}'
        % (first[1] - first[0], *first, second[1] - second[0], *second)
    )


def nested(depth):
    return tensor(extra=',"extra":' + "[" * depth + "]" * depth)


# name, header, bytes of data, rule, why stricter
CASES = [
    ("one tensor", H, 16, None, None),
    ("duplicate tensor name",
     '{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
     '"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1, "FV-ST-05",
     "its README disallows duplicates"),
    ("duplicate field inside a tensor", tensor(extra=',"dtype":"F32"'), 16, "FV-ST-06", None),
    ("unknown field in a tensor", tensor(extra=',"note":{"a":[1.5]}'), 16, None, None),
    ("leading spaces", "  " + H, 16, None, None),
    ("leading tab and line break", "\t\n" + H, 16, None, None),
    ("trailing spaces", H + "   ", 16, None, None),
    ("trailing NUL in the header", H + "\0", 16, "FV-ST-04", None),
    ("byte order mark", "\xef\xbb\xbf" + H, 16, "FV-ST-04", None),
    ("trailing comma in the header", H[:-1] + ",}", 16, "FV-ST-04", None),
    ("trailing comma in a shape", tensor(shape="[2,2,]"), 16, "FV-ST-11", None),
    ("1.0 as a dimension", tensor(shape="[1.0,4]"), 16, "FV-ST-11", None),
    ("1e0 as a dimension", tensor(shape="[1e0,4]"), 16, "FV-ST-11", None),
    ("negative dimension", tensor(shape="[-2,-2]"), 16, "FV-ST-11", None),
    ("dimension as text", tensor(shape='["2",2]'), 16, "FV-ST-11", None),
    ("three offsets", tensor(offsets="[0,16,16]"), 16, "FV-ST-14", None),
    ("one offset", tensor(offsets="[16]"), 16, "FV-ST-14", None),
    ("offsets in the wrong order", tensor(offsets="[16,0]"), 16, "FV-ST-14", None),
    ("hole between tensors", two((0, 4), (8, 12)), 12, "FV-ST-16", None),
    ("hole before the first tensor", tensor(offsets="[4,20]"), 20, "FV-ST-16", None),
    ("overlapping tensors", two((0, 8), (4, 12)), 12, "FV-ST-17", None),
    ("same bytes twice", two((0, 8), (0, 8)), 8, "FV-ST-17", None),
    ("one byte too many", H, 17, "FV-ST-18", None),
    ("one byte too few", H, 15, "FV-ST-15", None),
    ("shape needs more than its offsets hold", tensor(shape="[2,3]"), 16, "FV-ST-13", None),
    ("two dimensions of 2^32", tensor(shape="[4294967296,4294967296]"), 16, "FV-ST-12", None),
    ("zero, then two dimensions of 2^64-1",
     tensor(shape="[0,18446744073709551615,18446744073709551615]", offsets="[0,0]"), 0, "FV-ST-11",
     "a dimension is at most 2^48"),
    ("two dimensions of 2^64-1, then zero",
     tensor(shape="[18446744073709551615,18446744073709551615,0]", offsets="[0,0]"), 0, "FV-ST-11",
     None),
    ("zero, then two dimensions of 2^48",
     tensor(shape="[0,281474976710656,281474976710656]", offsets="[0,0]"), 0, "FV-ST-12",
     "the strides of an empty tensor must be countable too"),
    ("shape []", tensor(shape="[]", offsets="[0,4]"), 4, None, None),
    ("shape with 0", tensor(shape="[3,0]", offsets="[0,0]"), 0, None, None),
    ("no tensor", "{}", 0, None, None),
    ("only metadata", '{"__metadata__":{"format":"pt"}}', 0, None, None),
    ("metadata null", '{"__metadata__":null}', 0, None, None),
    ("metadata number", '{"__metadata__":{"format":1}}', 0, "FV-ST-19", None),
    ("metadata array", '{"__metadata__":["a"]}', 0, "FV-ST-19", None),
    ("metadata twice", '{"__metadata__":{"a":"b"},"__metadata__":{"a":"c"}}', 0, "FV-ST-06", None),
    ("metadata name twice", '{"__metadata__":{"a":"b","a":"c"}}', 0, "FV-ST-06",
     "its README disallows duplicates"),
    ("empty name", H.replace('"x"', '""'), 16, None, None),
    ("NUL in a name", H.replace('"x"', '"a\\u0000b"'), 16, None, None),
    ("lone surrogate in a name", H.replace('"x"', '"\\ud800"'), 16, "FV-ST-04", None),
    ("name that is not UTF-8", H.replace('"x"', '"\xff\xfe"'), 16, "FV-ST-04", None),
    ("nested 3 deep in an unknown field", nested(3), 16, "FV-ST-04",
     "nothing in a header is nested more than 4 deep"),
    ("nested 200 deep", nested(200), 16, "FV-ST-04", None),
    ("unknown type", tensor(dtype="F99"), 16, "FV-ST-09", None),
    ("lower-case type", tensor(dtype="f32"), 16, "FV-ST-09", None),
    ("4-bit floats", tensor(dtype="F4", shape="[2,16]"), 16, None, None),
    ("8-bit floats", tensor(dtype="F8_E4M3", shape="[16]"), 16, None, None),
    ("type missing", '{"x":{"shape":[2,2],"data_offsets":[0,16]}}', 16, "FV-ST-07", None),
    ("shape missing", '{"x":{"dtype":"F32","data_offsets":[0,16]}}', 16, "FV-ST-07", None),
    ("offsets missing", '{"x":{"dtype":"F32","shape":[2,2]}}', 16, "FV-ST-07", None),
    ("tensor that is a number", '{"x":1}', 0, "FV-ST-08", None),
    ("header that is an array", "[]", 0, "FV-ST-04", None),
    ("header that ends early", H[:-4], 16, "FV-ST-04", None),
    ("text after the header", H + "{}", 16, "FV-ST-04", None),
    ("empty header", "", 0, "FV-ST-04", None),
    ("17 axes", tensor(shape="[" + ",".join(["1"] * 17) + "]", offsets="[0,4]"), 4, "FV-ST-20",
     "at most 16 axes"),
    ("minus zero as a dimension", tensor(shape="[-0]", offsets="[0,0]"), 0, "FV-ST-11", None),
    ("two spellings of one letter",
     '{"\xc3\xa9":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
     '"e\xcc\x81":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', 2, None, None),
    ("NaN and infinity", H, b"\x00\x00\xc0\x7f\x00\x00\x80\x7f\x00\x00\x80\xff\x01\x00\x00\x00",
     None, None),
]

WHOLE = [
    ("empty file", b"", "FV-ST-01"),
    ("seven bytes", b"\x02\0\0\0\0\0\0", "FV-ST-01"),
    ("length beyond the file", struct.pack("<Q", 1000) + b"{}", "FV-ST-03"),
    ("length of 2^63", struct.pack("<Q", 1 << 63) + b"{}", "FV-ST-02"),
    ("length of 100,000,001", struct.pack("<Q", 100_000_001) + b"{}", "FV-ST-02"),
    ("Git LFS pointer",
     b"version https://git-lfs.github.com/spec/v1\noid sha256:"
     b"4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n",
     "FV-ST-21"),
    ("web page", b"<!DOCTYPE html>\n<html><head><title>404</title></head></html>\n", "FV-ST-22"),
    ("zip archive", b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0", "FV-ST-23"),
    ("pickle", b"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s.", "FV-ST-23"),
    ("JSON", b'{"error": "Invalid credentials"}', "FV-ST-23"),
]


def accepts(data):
    try:
        safetensors.deserialize(data)
        return True
    except Exception:
        return False


def main():
    files = []
    for name, header, content, rule, why in CASES:
        header = header.encode("latin-1")
        content = bytes(content) if isinstance(content, int) else content
        files.append((name, struct.pack("<Q", len(header)) + header + content, rule, why))
    files += [(name, data, rule, None) for name, data, rule in WHOLE]
    result = []
    for name, data, rule, why in files:
        reference = accepts(data)
        if reference != (rule is None) and why is None:
            print(f"differs without a reason: {name}: reference {'accepts' if reference else 'rejects'}")
        if reference == (rule is None):
            why = None
        result.append({
            "name": name, "bytes": data.decode("latin-1"), "rule": rule,
            "reference": "accepts" if reference else "rejects", "stricter": why,
        })
    path = pathlib.Path(__file__).parent.parent / "Tests/Goldens/safetensors-cases.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{len(result)} cases, {sum(r['stricter'] is not None for r in result)} stricter")


main()
