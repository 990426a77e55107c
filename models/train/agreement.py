"""Agreement: a checkpoint and its GGUF file in; how far their logits are apart and on how many prompts they write the same out.
Read back with numpy, and, where node-llama-cpp is installed, run in the engine that serves it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch

from .decoding import greedy
from .export import tensors
from .network import Network
from .settings import Shape
from .training import load_checkpoint

HERE = Path(__file__).parent
TOKENS = 24


@dataclass(frozen=True)
class Agreement:
    prompts: int
    largest_difference: float
    """Of a logit after a prompt, over the whole vocabulary; what Q8_0 costs."""
    same: int
    """Prompts with the same greedy text from the f32 checkpoint and from the file read back."""
    in_engine: int | None
    """Prompts with the same greedy text from the file read back and from the engine."""


def agree(checkpoint: Path, file: Path, prompts: list[list[int]]) -> Agreement:
    shape = Shape(**torch.load(checkpoint, map_location="cpu")["cfg"])
    exact = load_checkpoint(checkpoint, shape)
    written = read(file, shape)
    largest, same, texts = 0.0, 0, []
    for prompt in prompts:
        wanted, wanted_logits = greedy(exact, prompt, TOKENS)
        got, got_logits = greedy(written, prompt, TOKENS)
        largest = max(largest, float((wanted_logits - got_logits).abs().max()))
        same += wanted == got
        texts.append(got)
    engine = in_engine(file, prompts)
    equal = None if engine is None else sum(a == b for a, b in zip(texts, engine))
    return Agreement(len(prompts), largest, same, equal)


def read(file: Path, shape: Shape) -> Network:
    """The file's tensors, dequantised, back in our network: tests names, shapes and order as well as numbers."""
    stored: dict[str, np.ndarray] = {}
    for tensor in gguf.GGUFReader(str(file)).tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        stored[tensor.name] = values.reshape(tuple(reversed(tensor.shape.tolist())))
    network = Network(shape)
    weights = network.state_dict()
    for name, values in tensors(weights, shape):
        # The views lead into the network's own weights.
        values_of(weights, name, shape).copy_(torch.from_numpy(stored.pop(name).copy().reshape(values.shape)))
    if stored:
        raise ValueError(f"{file} has tensors that the network has not: {sorted(stored)[:3]}")
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


def in_engine(file: Path, prompts: list[list[int]]) -> list[list[int]] | None:
    """Greedy ids from node-llama-cpp; None where Node or the package is not there."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as asked:
        json.dump({"file": str(file), "tokens": TOKENS, "prompts": prompts}, asked)
        asked.flush()
        try:
            answer = subprocess.run(
                ["node", str(HERE / "engine-greedy.mjs"), asked.name], capture_output=True, text=True
            )
        except FileNotFoundError:
            return None
    if answer.returncode == 3:
        return None
    if answer.returncode != 0:
        raise RuntimeError(f"the engine failed: {answer.stderr.strip()[-400:]}")
    return list(json.loads(answer.stdout.strip().splitlines()[-1]))
