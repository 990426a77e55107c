"""Agreement: a checkpoint and its GGUF file in; how far their logits are apart and on how many prompts they write the same out.
Read back with numpy, and, where node-llama-cpp is installed, run in the engine that serves it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from .decoding import greedy
from .settings import Shape
from .starting import load, read

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
    exact = load(checkpoint, shape)
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
