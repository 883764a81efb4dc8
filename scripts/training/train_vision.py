"""Stage 1, beside it: the vision tower tells of every patch what is under it, in crowded scenes."""
import random, sys
import torch, torch.nn as nn
from network import PATCH_FACTS, Network, Trainer, VISION, configuration, parameters, patch_labels, patch_loss
from worlds import EasyVQA, Stream, Tokens, pixel_values, resized
from PIL import Image

if __name__ == "__main__":
    folder, steps, size = sys.argv[1], int(sys.argv[2]), 12
    torch.set_num_threads(1)
    network = Network(configuration(Tokens(folder), 112), seed=4)
    tower, head = network.vision_model, nn.Linear(VISION["hidden_size"], PATCH_FACTS)
    trainer = Trainer("vision", folder, {"vision": tower, "head": head},
                      parameters([tower, head], 0.05), 1e-3, steps, warm=200, clip=3.0)
    chooser = random.Random(trainer.step)
    start = 20_000_000 + trainer.step * size
    crowded, usual, easy = Stream(start, "crowded"), Stream(start, "usual"), EasyVQA()
    while trainer.going():
        records, pictures, owners = [], [], []
        for _ in range(size):
            kind = chooser.random()
            if kind < 0.15:
                record, picture, own = easy.scene(chooser.choice(easy.images))
            else:
                record, picture, own = next(crowded if kind < 0.75 else usual)
                picture = resized(picture)
            records.append(record), pictures.append(picture), owners.append(own)
        labels, _ = patch_labels(records, owners)
        with torch.autocast("cpu", torch.bfloat16):
            loss, facts = patch_loss(head, network.see(pixel_values(pictures)), labels)
        trainer.learn(loss, facts, every=100)
