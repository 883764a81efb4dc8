#!/usr/bin/env python3
"""Makes Tests/Goldens/torch: files that torch.save wrote, with what is in them as safetensors.

plain.bin: every type that is read, views in order and not, tensors that share their numbers, an empty
one, a number alone. legacy.bin: the same in the format before PyTorch 1.6. training.bin: a state dict
with its optimizer's state.

Needs torch and safetensors (made with torch 2.13 on CPU); tests do not.
    python scripts/make-torch-goldens.py
"""
import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Goldens" / "torch"


def contents():
    torch.manual_seed(20261128)
    whole = torch.randn(4, 6)
    tensors = {
        "whole": whole, "tied": whole, "transposed": whole.t(), "part": whole[1:3, 2:5],
        "row": whole[2], "empty": torch.zeros(0, 3), "number": torch.tensor(2.5),
        "名前.weight": torch.randn(2, 3), "parameter": torch.nn.Parameter(torch.randn(3)),
        "repeated": torch.tensor([1.0, 2.0]).expand(3, 2),
    }
    for name in ["float64", "float16", "bfloat16"]:
        tensors[name] = torch.randn(3, 2).to(getattr(torch, name))
    for name in ["int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool"]:
        tensors[name] = torch.arange(4).to(getattr(torch, name))
    return tensors


def save(tensors, name):
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()},
              FOLDER / f"{name}.safetensors")


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    tensors = contents()
    save(tensors, "plain")
    # Types that Fovea does not read, around one that it does; the old format has no float8.
    odd = {"complex64": torch.zeros(2, 3, dtype=torch.complex64), "weight": torch.arange(6.0).reshape(2, 3),
           "complex128": torch.zeros(3, dtype=torch.complex128)}
    torch.save(odd, FOLDER / "odd-legacy.bin", _use_new_zipfile_serialization=False)
    odd["float8"] = torch.zeros(4).to(torch.float8_e4m3fn)
    torch.save(odd, FOLDER / "odd.bin")
    torch.save(tensors, FOLDER / "plain.bin")
    # The old format cannot say the unsigned types.
    old = {key: value for key, value in tensors.items() if key not in ("uint16", "uint32", "uint64")}
    torch.save(old, FOLDER / "legacy.bin", _use_new_zipfile_serialization=False)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    save(model.state_dict(), "training")
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3,
                "seed": 2**70, "generator": torch.arange(9, dtype=torch.uint8), "betas": (0.9, 0.99),
                "names": {"a", "b"}, "size": torch.Size([1, 2])},
               FOLDER / "training.bin", pickle_protocol=4)


if __name__ == "__main__":
    main()
