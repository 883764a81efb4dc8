"""Makes the goldens of tokenizers that chat models have: small vocabularies, trained here, and what the
references make of hard texts.

Under Tests/Goldens/tokenizers: `digits` (SmolLM's steps), `split` (Llama 3's), `marks` (Metaspace and
byte fallback in tokenizer.json), each by the tokenizers library; `pieces` (a SentencePiece model), by
sentencepiece where the file stands alone and by transformers where settings stand beside it.

Needs tokenizers 0.23, transformers 5, sentencepiece 0.2 and protobuf:
`python scripts/make-chat-tokenizer-goldens.py`.
"""

import io
import json
import pathlib
import random
import shutil
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors
from tokenizers import trainers
from transformers import AutoTokenizer

folder = pathlib.Path(__file__).parent.parent / "Tests" / "Goldens" / "tokenizers"

sentences = """
The red boat waits by the old pier while two gulls argue over a crumb of bread.
A small boy in a yellow coat counts the waves, 1, 2, 34, 567, and loses his place.
Where is the lighthouse? It's behind the hill, they've painted it blue and white.
On the table lie 12 oranges, 3 lemons and a paper bag; nobody's hungry yet.
We'LL see THE iPhone, an HTTPServer and http://a.b/c?d=2024 //\n\n  def f(x):\n    return x
Café chairs, a naïve drawing, a crème brûlée: the menu was longer than the evening.
Ein Zug fährt über die Brücke, und die Kühe schauen nicht einmal auf.
一只猫坐在窗边看雨。孩子们在画红色的圆。
Question: what is in the picture? Answer: a boat, a gull and a boy.
""".strip("\n").split("\n")

pieces = [
    *"the boat, gull's don't they've WE'LL I'm he'D 'ſ 'S 3 12 2024 7:45 Kühe BOAT iPhone".split(),
    *"HTTPServer ½ ² ٣ Ⅷ 猫 画面。 가나 हिन्दी ไทย 🇩🇪 ǅ ʰ 𝔘𝔫 // a/b <s> </s> <unk> <mark> [INST] <0x0A>".split(),
    " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "'", "▁", "▁▁", "▁a", "e\u0301",
    "\u0323\u0301", "👩\u200d👩\u200d👧", "🍕\ufe0f", "\u0000", "\ufffd", "...", "!!!\n\n", "/\n", "\U00016ff4",
    "_", "##", " \t ", "\n \n", "x\n",
]


def texts(count, seed):
    chance = random.Random(seed)
    made = ["", " ", "  ", "▁", " a", "a "]
    while len(made) < count:
        joint = chance.choice(["", " "])
        made.append(joint.join(chance.choices(pieces, k=chance.randint(2, 8))))
    return made


def drawn_ids(count, size, seed):
    chance = random.Random(seed)
    return [[chance.choice([chance.randrange(size), chance.randrange(min(size, 259))])
             for _ in range(chance.randint(1, 8))] for _ in range(count)]


def cases(encode, decode, size, seed, count=38):
    return [
        {"text": text, "ids": encode(text), "drawn": drawn, "decoded": decode(drawn)}
        for text, drawn in zip(texts(count, seed), drawn_ids(count, size, seed))]


def write_vectors(place, sets):
    lines = ",\n".join(
        f'{{"model": {json.dumps(made["model"])}, "settings": {json.dumps(made["settings"])}, "cases": [\n'
        + ",\n".join(json.dumps(case) for case in made["cases"]) + "\n]}"
        for made in sets)
    (place / "vectors.json").write_text(f'{{"sets": [\n{lines}\n]}}\n', encoding="utf-8")


def make_json(name, steps, decoder, special, settings, seed):
    tokenizer = Tokenizer(models.BPE(**settings))
    # Trained without words' ends, so that a wrong cut gives other tokens.
    tokenizer.pre_tokenizer = (
        pre_tokenizers.Metaspace(split=False) if "byte_fallback" in settings
        else pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    alphabet = [] if "byte_fallback" in settings else sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + 400, special_tokens=special, show_progress=False,
        initial_alphabet=alphabet)
    tokenizer.train_from_iterator(sentences * 2 + [" ".join(sentences)], trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = state["added_tokens"][:3]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.pre_tokenizer, tokenizer.decoder = steps, decoder
    tokenizer.add_tokens([
        AddedToken("<mark>", normalized=False),
        AddedToken("[INST]", lstrip=True, rstrip=True, normalized=False)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))])
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    write_vectors(place, [{"model": "tokenizer.json", "settings": None, "cases": cases(
        lambda text: tokenizer.encode(text).ids,
        lambda ids: tokenizer.decode(ids, skip_special_tokens=False),
        tokenizer.get_vocab_size(), seed)}])


def make_pieces():
    place = folder / "pieces"
    place.mkdir(parents=True, exist_ok=True)
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences * 2), model_writer=model, model_type="bpe", vocab_size=520,
        byte_fallback=True, character_coverage=0.98, split_digits=True, normalization_rule_name="identity",
        remove_extra_whitespaces=False, allow_whitespace_only_pieces=True,
        user_defined_symbols=["<mark>", "the"], minloglevel=2)
    plain = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    plain.trainer_spec.ClearField("input")
    # The same pieces, a third of the longer ones taken apart again, and spaces made one.
    unused = sentencepiece_model_pb2.ModelProto.FromString(plain.SerializeToString())
    for piece in unused.pieces:
        if piece.type == 1 and len(piece.piece) > 1 and len(piece.piece) % 3 == 2:
            piece.type = 5
    unused.normalizer_spec.remove_extra_whitespaces = True
    sets = []
    for name, proto in (("tokenizer.model", plain), ("unused.model", unused)):
        (place / name).write_bytes(proto.SerializeToString())
        processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
        sets.append({"model": name, "settings": None, "cases": cases(
            processor.encode, processor.decode, processor.vocab_size(), 20 + len(sets))})
    for settings in (
            {"tokenizer_class": "LlamaTokenizer", "add_bos_token": True, "legacy": True},
            {"tokenizer_class": "LlamaTokenizer", "add_eos_token": True, "pad_token": "<pad>"},
            {"add_bos_token": True}):
        with tempfile.TemporaryDirectory() as place_of_one:
            one = pathlib.Path(place_of_one)
            shutil.copy(place / "tokenizer.model", one)
            (one / "tokenizer_config.json").write_text(json.dumps(settings))
            tokenizer = AutoTokenizer.from_pretrained(one)
        sets.append({"model": "tokenizer.model", "settings": settings, "cases": cases(
            tokenizer.encode, tokenizer.decode, len(tokenizer), 20 + len(sets))})
    write_vectors(place, sets)


byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
llama3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|"
          r"\s*[\r\n]+|\s+(?!\S)|\s+")
names = ["<unk>", "<s>", "</s>"]
make_json(
    "digits", pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]),
    decoders.ByteLevel(), names, {}, 11)
make_json(
    "split", pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(llama3), "isolated"), byte_level]),
    decoders.ByteLevel(), names, {}, 12)
make_json(
    "marks", pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
    decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(),
        decoders.Strip(" ", 1, 0)]),
    names + [f"<0x{byte:02X}>" for byte in range(256)],
    {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}, 13)
make_pieces()
