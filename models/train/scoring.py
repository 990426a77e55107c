"""Scoring: a network and a sampler with a fixed seed in, nats a token out: in plain text, and in middles with end of text,
without and with context. The same samples for every network, so that figures can be set side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from .corpus import Document
from .network import Network
from .samples import Sample, Sampler
from .settings import SampleSettings

KINDS = {"plain": (False, True), "infill": (False, False), "context": (True, False)}


@dataclass(frozen=True)
class Score:
    nats: float
    error: float
    """Standard error of the mean over samples, weighted by their tokens."""
    tokens: int


class Yardstick:
    def __init__(
        self, documents: Sequence[Document], tokenizer: Tokenizer, settings: SampleSettings, rows: int, length: int
    ) -> None:
        self._samples: dict[str, list[Sample]] = {}
        for kind, (context, plain) in KINDS.items():
            sampler = Sampler(documents, tokenizer, settings, seed=99)
            # Samples with context are longer: that is where they are of use.
            room = length * 2 if kind == "context" else length
            self._samples[kind] = [sampler.sample(room, context, plain) for _ in range(rows)]

    @torch.no_grad()
    def measure(self, network: Network) -> dict[str, Score]:
        return {kind: self._score(network, samples) for kind, samples in self._samples.items()}

    def _score(self, network: Network, samples: list[Sample]) -> Score:
        sums: list[float] = []
        counts: list[int] = []
        for sample in samples:
            ids = torch.tensor([sample.ids])
            losses = F.cross_entropy(network(ids[:, :-1])[0].float(), ids[0, 1:], reduction="none")
            losses = losses[-sample.middle :] if sample.middle else losses
            sums.append(float(losses.sum()))
            counts.append(losses.numel())
        total = sum(counts)
        mean = sum(sums) / total
        spread = sum((s - mean * n) ** 2 for s, n in zip(sums, counts))
        return Score(mean, math.sqrt(spread) / total, total)


def line(scores: dict[str, Score]) -> str:
    return " ".join(f"{kind} {score.nats:.3f}±{1.96 * score.error:.3f}" for kind, score in scores.items())
