"""Makes `qwen.tiktoken` from the dialogues of some thousand scenes: make_qwen_tokenizer.py OUT

The 256 bytes in the published order, then merges. Chinese has no spaces, and the published split
keeps a whole sentence together: merges are counted inside words, so that a word is a token.
"""
import base64, collections, os, sys
import regex
from qwen_words import PATTERN, QwenTokens, SYSTEM
from worlds import Stream

WORDS = """红色 绿色 蓝色 黄色 黑色 灰色 棕色 青色 圆形 矩形 三角形 星形 十字 图形 图中 图片 颜色 形状
大小 什么 大的 小的 还是 左边 右边 上方 下方 哪里 哪张 第一张 第二张 两张 图 一个 描述 这张 找出 所有 没有
是的 不是 不一样 一样 更多 多 都 它 呢 吗 在 有 和 个 几个 的 是""".split()
FIXED = [SYSTEM, "system", "user", "assistant", "Picture 1: ", "Picture 2: "]


def published_bytes():
    first = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return first + [b for b in range(256) if b not in first]


def pieces(text):
    """The published split, and inside it words of Chinese."""
    words = "|".join(sorted(WORDS, key=len, reverse=True))
    for piece in regex.findall(PATTERN, text):
        if any(ord(c) > 0x3000 for c in piece):
            yield from regex.findall(f"{words}|.", piece)
        else:
            yield piece


def merges(counts):
    """Byte pairs, the most frequent first; until every piece is one token."""
    words = {p.encode(): [bytes([b]) for b in p.encode()] for p in counts}
    result = []
    while True:
        pairs = collections.Counter()
        for piece, count in counts.items():
            parts = words[piece.encode()]
            for pair in zip(parts, parts[1:]):
                pairs[pair] += count
        if not pairs:
            return result
        best = min(pairs, key=lambda p: (-pairs[p], p))
        result.append(best[0] + best[1])
        for piece, parts in words.items():
            i, joined = 0, []
            while i < len(parts):
                if i + 1 < len(parts) and (parts[i], parts[i + 1]) == best:
                    joined.append(parts[i] + parts[i + 1])
                    i += 2
                else:
                    joined.append(parts[i])
                    i += 1
            words[piece] = joined


def reached(token, ranks):
    """Whether merging by rank makes the token from its bytes."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 1:
        found = [(ranks[a + b], i) for i, (a, b) in enumerate(zip(parts, parts[1:]))
                 if a + b in ranks and (len(parts) > 2 or a + b == token)]
        if not found:
            return False
        i = min(found)[1]
        parts[i: i + 2] = [parts[i] + parts[i + 1]]
    return parts == [token]


if __name__ == "__main__":
    out, counts = sys.argv[1], collections.Counter()
    stream = Stream(5_000_000, "usual", pixels=False, dialogues=2)
    for _ in range(3000):
        for dialogue in next(stream)[0]["dialogues"]:
            for turn in dialogue["turns"]:
                for text in (turn["question"], turn["answer"]):
                    for mark in ("<ref>", "</ref>", "<box>", "</box>"):
                        text = text.replace(mark, "\n")
                    counts.update(p for p in pieces(text) if p != "\n")
    stream.process.kill()
    for text in FIXED:
        counts.update({p: 3000 for p in pieces(text)})
    made = merges(counts)
    tokens = [bytes([b]) for b in published_bytes()] + made
    assert len(set(tokens)) == len(tokens)
    ranks = {t: i for i, t in enumerate(tokens)}
    assert all(reached(t, ranks) for t in made)
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "qwen.tiktoken"), "w") as file:
        file.writelines(f"{base64.b64encode(t).decode()} {i}\n" for i, t in enumerate(tokens))
    words = QwenTokens(out)
    print(len(made), "merges,", words.count, "rows of vocabulary")
    for text in ("What color is the circle in picture 2?", "第二张图中的红色圆形是什么颜色？",
                 "<ref>red circle</ref><box>(140,300),(420,580)</box>", "图中没有红色三角形。"):
        print([words.encoding.decode_single_token_bytes(i).decode() for i in words.encode(text)])
