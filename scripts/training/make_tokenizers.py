"""Makes both tokenizers from the texts of 20,000 scenes: byte-level BPE, and WordPiece."""
import os, sys
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers
from worlds import STEP, EasyVQA, Stream

folder = sys.argv[1]
stream, lines, captions = Stream(1, "1-4", pixels=False), [], []
for _ in range(20000):
    record = next(stream)[0]
    captions += [record["caption"]]
    lines += [record["caption"]]
    for _, text, answer in record["questions"][:: 7]:
        lines.append(f"Question: {text} Answer: {answer}\n")
stream.process.kill()
easy = EasyVQA()
for image in easy.images[:2000]:
    lines += [f"Question: {t} Answer: {a}\n" for t, a in easy.questions[image]]
for value in range(0, 1000, STEP):
    lines += [f"({value},{value}),({value},{value})"] * 400

generation = Tokenizer(models.BPE())
generation.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
generation.decoder = decoders.ByteLevel()
first = ["<s>", "<pad>", "</s>", "<unk>"]
generation.train_from_iterator(lines, trainers.BpeTrainer(
    vocab_size=700, special_tokens=first, min_frequency=20, show_progress=False,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
generation.add_tokens([AddedToken(t, normalized=False, special=False)
                       for t in ("<ref>", "</ref>", "<box>", "</box>")])
generation.add_special_tokens([AddedToken("<image>", normalized=False, special=True)])
# As the published tokenizer does: every text begins with </s>.
generation.post_processor = processors.TemplateProcessing(
    single="</s> $A", pair="</s> $A </s> $B", special_tokens=[("</s>", 2)])
os.makedirs(os.path.join(folder, "matching"), exist_ok=True)
generation.save(os.path.join(folder, "tokenizer.json"))
print("generation", generation.get_vocab_size())
for v in range(0, 1000, STEP):
    assert len(generation.encode(f"({v}", add_special_tokens=False).ids) == 2, v

letters = "abcdefghijklmnopqrstuvwxyz0123456789"
words = sorted({w for c in captions for w in c.replace(",", " ").split() if len(w) > 1})
vocabulary = (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(",.!?-'") + list(letters)
              + ["##" + x for x in letters] + words)
with open(os.path.join(folder, "matching", "vocab.txt"), "w") as file:
    file.write("\n".join(vocabulary) + "\n")
matching = Tokenizer(models.WordPiece({w: i for i, w in enumerate(vocabulary)}, unk_token="[UNK]"))
matching.normalizer = normalizers.BertNormalizer(lowercase=True)
matching.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
matching.decoder = decoders.WordPiece()
matching.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
matching.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
matching.save(os.path.join(folder, "matching", "tokenizer.json"))
print("matching", matching.get_vocab_size())
for text in captions[:2] + ["Question: where is the red star? Answer:<box>(20,340),(980,120)</box>\n"]:
    print(generation.encode(text).tokens, matching.encode(text).tokens)
