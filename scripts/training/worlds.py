"""What the training sees: scenes from the project's generator, pictures of easy-VQA, texts.

Every stage reads scenes from a stream of the generator (`fovea scenes --raw`): a JSON record
and, where wanted, the pixels and the map of owners. A picture of easy-VQA is turned into the same
record: its object's box is found from its pixels, colour and shape from its questions.
"""
import json, math, os, random, struct, subprocess
import numpy as np, torch
from PIL import Image

SIDE = 224            # of a scene
INPUT = 160           # of the model
PATCHES = 10          # patches on a side
SAMPLES = 40          # owner samples on a side: 4 x 4 a patch
COLORS = ["red", "green", "blue", "yellow", "black", "gray", "brown", "teal"]
SHAPES = ["circle", "rectangle", "triangle", "star", "cross"]
SIZES = ["small", "large"]
STEP = 20             # boxes are written in multiples of this, in thousandths of the side
BINS = 50
QUERIES = 16          # a grid of 4 x 4
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
DEVIATION = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)

GENERATOR = os.environ.get("FOVEA", "fovea").split()


class Stream:
    """Scenes with consecutive seeds, starting at `seed`, as (record, picture, owners)."""

    def __init__(self, seed, population="1-3", pixels=True, dialogues=0):
        self.seed, self.population, self.pixels = seed, population, pixels
        self.process = subprocess.Popen(
            [*GENERATOR, "scenes", "--raw", "--count", "0", "--seed", str(seed), "--population",
             population, "--grid", str(SAMPLES if pixels else 0)]
            + (["--dialogues", str(dialogues)] if dialogues else []),
            stdout=subprocess.PIPE, bufsize=1 << 20)

    def read(self, count):
        data = self.process.stdout.read(count)
        if len(data) != count:
            raise SystemExit("the generator ended early")
        return data

    def __next__(self):
        record = json.loads(self.read(struct.unpack("<I", self.read(4))[0]))
        record["questions"] = [list(q.values()) for q in record["questions"]]
        if not self.pixels:
            return record, None, None
        picture = np.frombuffer(self.read(SIDE * SIDE * 3), np.uint8).reshape(SIDE, SIDE, 3)
        owners = np.frombuffer(self.read(SAMPLES * SAMPLES), np.uint8).reshape(SAMPLES, SAMPLES)
        return record, picture, owners


def resized(picture):
    """As the model's preprocessing does it: Pillow's antialiased bicubic."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    return np.asarray(image.convert("RGB").resize((INPUT, INPUT), Image.BICUBIC))


def pixel_values(pictures):
    """uint8 [B, 160, 160, 3] -> normalised float [B, 3, 160, 160]."""
    x = np.stack(pictures).astype(np.float32) * np.float32(1 / 255)
    return torch.from_numpy(((x - MEAN) / DEVIATION).transpose(0, 3, 1, 2).copy())


class EasyVQA:
    """The train split of easy-VQA as scenes."""

    def __init__(self, split="train"):
        import easy_vqa
        get = (easy_vqa.get_train_questions, easy_vqa.get_train_image_paths)
        if split == "test":
            get = (easy_vqa.get_test_questions, easy_vqa.get_test_image_paths)
        self.questions, self.paths = {}, get[1]()
        for text, answer, image in zip(*get[0]()):
            self.questions.setdefault(image, []).append((text, answer))
        self.images = sorted(self.questions)
        self.cache = {}

    def kind(self, text):
        if text.startswith("what") and "color" in text:
            return "color"
        return "shape" if text.startswith("what") else "existence"

    def scene(self, image):
        if image in self.cache:
            return self.cache[image]
        picture = Image.open(self.paths[image]).convert("RGB")
        pixels = np.asarray(picture).astype(int)
        mask = np.abs(pixels - pixels[0, 0]).max(2) > 40
        if mask[0, 0] or not mask.any():
            raise ValueError(image)
        rows, columns = np.where(mask.any(1))[0], np.where(mask.any(0))[0]
        scale = SIDE / 64
        box = [int(round(v * scale)) for v in
               (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)]
        questions = self.questions[image]
        shape = color = None
        for text, answer in questions:
            shape = answer if answer in SHAPES else shape
            color = answer if answer in COLORS else color
        place = (np.arange(SAMPLES) * 2 + 1) * 64 // (2 * SAMPLES)
        record = {
            "objects": [{"shape": shape, "color": color, "size": None, "box": box}],
            "caption": None, "wrongCaptions": [],
            "questions": [[self.kind(t), t, a] for t, a in questions]}
        self.cache[image] = record, resized(picture), mask[place][:, place].astype(np.uint8)
        return self.cache[image]


def patch_owners(owners):
    """[40, 40] samples -> for each of 100 patches the index of its object, or -1."""
    cells = owners.reshape(PATCHES, 4, PATCHES, 4).transpose(0, 2, 1, 3).reshape(-1, 16)
    result, best = np.full(len(cells), -1), np.full(len(cells), 2)
    for number in range(1, int(owners.max()) + 1):
        count = (cells == number).sum(1)
        better = count > best
        result[better], best[better] = number - 1, count[better]
    return result


def coordinate(pixels):
    return min(980 // STEP, (pixels * 1000 + SIDE * STEP // 2) // (SIDE * STEP))


def slots(objects):
    """Which query answers for which object: the cell of a 4 x 4 grid nearest to its centre."""
    used, result = set(), [0] * len(objects)
    middle = [((o["box"][0] + o["box"][2]) / 2, (o["box"][1] + o["box"][3]) / 2) for o in objects]
    for i in sorted(range(len(objects)), key=lambda i: middle[i]):
        x, y = middle[i]
        k = min((k for k in range(QUERIES) if k not in used),
                key=lambda k: (x - (k % 4 * 56 + 28)) ** 2 + (y - (k // 4 * 56 + 28)) ** 2)
        used.add(k)
        result[i] = k
    return result


def likely_slots(objects, says):
    """As `slots`, but an object near the edge between two cells belongs to the query that says
    more of it: `says(query, object)` is a likelihood. Without this, one object in eight would be
    asked of a query that cannot know that it is meant."""
    used, result = set(), slots(objects)
    for i, o in enumerate(objects):
        x, y = (o["box"][0] + o["box"][2]) / 2, (o["box"][1] + o["box"][3]) / 2
        near = [k for k in range(QUERIES) if k not in used and k not in result[i + 1:]
                and abs(x - (k % 4 * 56 + 28)) <= 28 + 14 and abs(y - (k // 4 * 56 + 28)) <= 28 + 14]
        if near and result[i] in near:
            result[i] = max(near, key=lambda k: says(k, o))
        used.add(result[i])
    return result


def index(names, name):
    return -100 if name is None else names.index(name)


def slot_labels(records, places):
    """[B, 16, 7]: colour (0 none, 1...8), shape (0 none, 1...5), size, four coordinates."""
    labels = np.zeros((len(records), QUERIES, 7), np.int64)
    labels[:, :, 2:] = -100
    for b, record in enumerate(records):
        for o, s in zip(record["objects"], places[b]):
            labels[b, s] = [
                -100 if o["color"] is None else COLORS.index(o["color"]) + 1,
                -100 if o["shape"] is None else SHAPES.index(o["shape"]) + 1,
                index(SIZES, o["size"])] + [coordinate(v) for v in o["box"]]
    return torch.from_numpy(labels)


class Tokens:
    """The generation tokenizer with the ids that training needs."""

    def __init__(self, folder):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
        self.cache = {}
        name = self.tokenizer.token_to_id
        self.pad, self.begin, self.image = name("<pad>"), name("</s>"), name("<image>")
        self.end = self.encode("\n")[0]
        self.count = (self.tokenizer.get_vocab_size() + 15) // 16 * 16

    def encode(self, text):
        if text not in self.cache:
            ids = self.tokenizer.encode(text, add_special_tokens=False).ids
            if len(self.cache) > 100000:
                return ids
            self.cache[text] = ids
        return self.cache[text]

    def pair(self, question, answer):
        """(ids, weights): the prompt weighs nothing, the answer 1/sqrt(its tokens) each."""
        if question is None:
            prompt, reply = [self.begin], self.encode(answer)
        else:
            prompt = [self.begin] + self.encode(f"Question: {question} Answer:")
            reply = self.encode(answer if answer.startswith("<") else " " + answer)
        reply = reply + [self.end]
        return prompt + reply, [0.0] * len(prompt) + [1 / math.sqrt(len(reply))] * len(reply)


def repeats(record):
    """Whether two objects share a colour: what counting by colour is learned from."""
    colors = [o["color"] for o in record["objects"]]
    return len(set(colors)) < len(colors)


class Texts:
    """Packs texts about a scene into rows of `width` tokens that do not see each other."""

    def __init__(self, tokens, chooser, width, weights, caption=0.5, rare=3.0):
        self.tokens, self.random, self.width, self.weights = tokens, chooser, width, weights
        self.caption, self.rare = caption, rare

    def choose(self, record):
        by_kind = {}
        for kind, text, answer in record["questions"]:
            answers = by_kind.setdefault(kind, {})
            group = "" if kind in ("box", "half") else answer
            if kind == "count":   # how many shapes, red shapes, circles: each has to be learned
                group = (text == "how many shapes are there?", "shapes" in text, answer)
            answers.setdefault(group, []).append((text, answer))
        if record["caption"] and self.random.random() < self.caption:
            yield None, record["caption"]
        kinds = sorted(by_kind)
        weights = [self.weights.get(k, 1.0) for k in kinds]
        if "count" in kinds and repeats(record):
            weights[kinds.index("count")] *= 2.5
        seen = set()
        for _ in range(60):
            kind = self.random.choices(kinds, weights)[0]
            answers = by_kind[kind]
            groups = sorted(answers)
            # Two red shapes are rare, and "1" would be a good guess.
            rare = [self.rare if len(g) == 3 and not g[0] and g[2] > "1" else 1.0 for g in groups]
            text, answer = self.random.choice(answers[self.random.choices(groups, rare)[0]])
            if text not in seen:
                seen.add(text)
                yield text, answer

    def row(self, record):
        width = self.width
        ids = np.full(width, self.tokens.pad, np.int64)
        segment, position = np.zeros(width, np.int64), np.zeros(width, np.int64)
        weight, label = np.zeros(width, np.float32), np.zeros(width, np.int64)
        used, number, missed = 0, 1, 0
        for question, answer in self.choose(record):
            pair, weights = self.tokens.pair(question, answer)
            n = len(pair) - 1
            if used + n > width:
                missed += 1
                if missed > 2:
                    break
                continue
            place = slice(used, used + n)
            ids[place], label[place], weight[place] = pair[:-1], pair[1:], weights[1:]
            segment[place], position[place] = number, np.arange(n)
            used, number = used + n, number + 1
        return ids, segment, position, weight, label

    def batch(self, records):
        rows = [self.row(r) for r in records]
        return [torch.from_numpy(np.stack([r[i] for r in rows])) for i in range(5)]
