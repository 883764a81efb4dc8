"""CLIP's byte-level BPE, learned from the sayings of 20,000 scenes."""
import json, os, random, sys
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizer
from sayings import LEADS, parts, whole
from worlds import Stream

folder = sys.argv[1]
stream, chooser, lines = Stream(1, "usual", pixels=False), random.Random(1), []
for _ in range(20000):
    objects = next(stream)[0]["objects"]
    lines += [chooser.choice(LEADS) + t for t in whole(objects).values()]
    lines += [t for _, t in chooser.sample(list(parts(objects)), 4)]
stream.process.kill()
lines += ["an empty picture"] * 200
shape = CLIPTokenizer().backend_tokenizer
learned = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
learned.normalizer, learned.pre_tokenizer = shape.normalizer, shape.pre_tokenizer
learned.train_from_iterator(lines, trainers.BpeTrainer(
    vocab_size=2000, min_frequency=20, show_progress=False, end_of_word_suffix="</w>",
    initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet())))
merges = [tuple(m) if isinstance(m, list) else tuple(m.split(" "))
          for m in json.loads(learned.to_str())["model"]["merges"]]
# The order of the published vocabulary: bytes, bytes that end a word, merges, two special tokens.
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
order = letters + [x + "</w>" for x in letters] + [a + b for a, b in merges]
order = list(dict.fromkeys(order)) + ["<|startoftext|>", "<|endoftext|>"]
tokenizer = CLIPTokenizer(vocab={t: i for i, t in enumerate(order)}, merges=merges,
                          model_max_length=64)
out = os.path.join(folder, "tokenizer")
tokenizer.save_pretrained(out)
with open(os.path.join(out, "vocab.json"), "w") as file:
    json.dump({t: i for i, t in enumerate(order)}, file, ensure_ascii=False)
with open(os.path.join(out, "merges.txt"), "w") as file:
    file.write("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
print(len(order), "tokens", len(merges), "merges")
for text in lines[:6]:
    print(text, tokenizer(text)["input_ids"], tokenizer.tokenize(text))
