"""Starting: a file of weights in, a network that goes on from them out: a checkpoint of ours, or a GGUF file, dequantised, where
the checkpoint behind it is gone. What its rounding cost is small beside the first steps' gain."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch

from .export import tensors
from .network import Network
from .settings import Shape


class WrongWeights(ValueError):
    """A file to go on from that cannot be; says which and why."""


def load(path: Path, shape: Shape) -> Network:
    """The shape's context may be longer than the one that the weights have seen; nothing in them depends on it."""
    if not path.is_file():
        raise WrongWeights(f"{path}: no such file of weights")
    if path.suffix == ".gguf":
        return read(path, shape)
    network = Network(shape)
    try:
        network.load_state_dict(torch.load(path, map_location="cpu")["sd"])
    except RuntimeError as problem:
        raise WrongWeights(f"{path} is not of this shape: {str(problem)[:300]}") from problem
    return network


def read(file: Path, shape: Shape) -> Network:
    """The file's tensors, dequantised, back in our network: tests names, shapes and order as well as numbers."""
    stored: dict[str, np.ndarray] = {}
    for tensor in gguf.GGUFReader(str(file)).tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        stored[tensor.name] = values.reshape(tuple(reversed(tensor.shape.tolist())))
    network = Network(shape)
    weights = network.state_dict()
    for name, values in tensors(weights, shape):
        found = stored.pop(name, None)
        if found is None or found.shape != values.shape:
            there = "not there" if found is None else f"{found.shape}"
            raise WrongWeights(f"{file} is not of this shape: {name} is {there}, not {values.shape}")
        # The views lead into the network's own weights.
        values_of(weights, name, shape).copy_(torch.from_numpy(found.copy()))
    if stored:
        raise WrongWeights(f"{file} has tensors that the network has not: {sorted(stored)[:3]}")
    return network


def values_of(weights: dict[str, torch.Tensor], name: str, shape: Shape) -> torch.Tensor:
    if name == "token_embd.weight":
        return weights["emb.weight"]
    if name == "output_norm.weight":
        return weights["nf.w"]
    _, index, part, _ = name.split(".")
    head = shape.d // shape.h
    queries, keys = shape.h * head, shape.kv * head
    places = {
        "attn_norm": ("n1.w", 0, None),
        "ffn_norm": ("n2.w", 0, None),
        "attn_q": ("qkv.weight", 0, queries),
        "attn_k": ("qkv.weight", queries, queries + keys),
        "attn_v": ("qkv.weight", queries + keys, None),
        "attn_output": ("o.weight", 0, None),
        "ffn_gate": ("gu.weight", 0, shape.ff),
        "ffn_up": ("gu.weight", shape.ff, None),
        "ffn_down": ("dn.weight", 0, None),
    }
    weight, begin, end = places[part]
    return weights[f"blocks.{index}.{weight}"][begin:end]
