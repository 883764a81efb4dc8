"""Makes Tests/Goldens/tokenizers: two small tokenizers and what the reference makes of some texts.

The vocabularies are trained here on the made-up sentences below, so nothing published is copied.
Needs tokenizers 0.23: `python scripts/make-tokenizer-goldens.py`.
"""

import json
import pathlib
import random

from tokenizers import Tokenizer, AddedToken, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

folder = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens" / "tokenizers"

sentences = """
The red boat waits by the old pier while two gulls argue over a crumb of bread.
A small boy in a yellow coat counts the waves, one, two, three, and loses his place.
Where is the lighthouse? It's behind the hill, they've painted it blue and white.
On the table lie 12 oranges, 3 lemons and a paper bag; nobody's hungry yet.
The dog doesn't bark when the postman's bicycle squeaks past at 7:45.
Café chairs, a naïve drawing, a crème brûlée: the menu was longer than the evening.
Ein Zug fährt über die Brücke, und die Kühe schauen nicht einmal auf.
一只猫坐在窗边看雨。孩子们在画红色的圆。
Question: what is in the picture? Answer: a boat, a gull and a boy.
""".strip().splitlines()

pieces = [
    *"the boat, gull's don't they've we'll I'm he'd 3 lemons 12 7:45 Kühe BOAT".split(),
    " ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", "\u0085", "'", "''", "'s", "'S",
    "ﬁ", "İ", "Σ", "ß", "é", "e\u0301", "\u0323\u0301", "猫", "画面。", "가나", "👩\u200d👩\u200d👧", "🍕\ufe0f",
    "½", "²", "٣", "Ⅷ", "\u0000", "\u0007", "\ufffd", "\u00ad", "x" * 101, "#", "##", "...", "—", "$5",
    "<s>", "</s>", "<mark>", "<wide>", "word", "[CLS]", "[MASK]", "[UNK]", "</", "<", "_",
]


def texts(count):
    chance = random.Random(5)
    made = ["", " ", *sentences]
    while len(made) < count:
        joint = chance.choice(["", " "])
        made.append(joint.join(chance.choices(pieces, k=chance.randint(1, 8))))
    return made


def write(name, tokenizer, configuration):
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    (place / "tokenizer_config.json").write_text(json.dumps(configuration), encoding="utf-8")
    chance = random.Random(6)
    cases = []
    for text in texts(160):
        drawn = [chance.randrange(tokenizer.get_vocab_size()) for _ in range(chance.randint(1, 8))]
        ids = tokenizer.encode(text).ids
        cases.append({
            "text": text,
            "ids": ids,
            "bare": tokenizer.encode(text, add_special_tokens=False).ids,
            "decoded": tokenizer.decode(ids),
            "drawn": drawn,
            "drawnDecoded": tokenizer.decode(drawn, skip_special_tokens=False),
        })
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
    (place / "vectors.json").write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
    return place


def make_bpe():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, special_tokens=["<s>", "<pad>", "</s>"], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.add_special_tokens([AddedToken("</s>", normalized=True, special=True)])
    tokenizer.add_tokens([
        AddedToken("<mark>", normalized=False),
        AddedToken("<wide>", lstrip=True, rstrip=True, normalized=False),
        AddedToken("word", single_word=True, normalized=True),
    ])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", tokenizer.token_to_id("</s>"))])
    place = write("byte-pairs", tokenizer, {
        "tokenizer_class": "GPT2Tokenizer", "add_bos_token": True, "bos_token": "</s>",
        "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "</s>",
        "added_tokens_decoder": {
            str(entry["id"]): {key: entry[key] for key in entry if key != "id"}
            for entry in json.loads(tokenizer.to_str())["added_tokens"]
        },
    })
    model = json.loads(tokenizer.to_str())["model"]
    (place / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    merges = "\n".join(" ".join(merge) for merge in model["merges"])
    (place / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")


def make_word_pieces():
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    normalizer, cutter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words = sorted({
        word for sentence in sentences
        for word, _ in cutter.pre_tokenize_str(normalizer.normalize_str(sentence))})
    # The trainer for WordPiece gives another vocabulary every time, hence this rule: characters,
    # the words of even length, and the last three letters of the others.
    letters = sorted({letter for word in words for letter in word})
    vocabulary = names + letters + [f"##{letter}" for letter in letters if letter.isascii()]
    vocabulary += [word for word in words if len(word) > 1 and len(word) % 2 == 0]
    vocabulary += sorted({f"##{word[-3:]}" for word in words if len(word) > 3 and len(word) % 2})
    tokenizer = Tokenizer(models.WordPiece(
        {token: place for place, token in enumerate(vocabulary)}, unk_token="[UNK]",
        max_input_chars_per_word=100))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, cutter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(names)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")])
    place = write("word-pieces", tokenizer, {
        "tokenizer_class": "BertTokenizer", "do_lower_case": True, "pad_token": "[PAD]",
        "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    })
    (place / "vocab.txt").write_text(
        "".join(f"{token}\n" for token in vocabulary), encoding="utf-8")


make_bpe()
make_word_pieces()
