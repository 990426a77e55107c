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

    def measure(self, network: Network) -> dict[str, Score]:
        return {kind: _score(_losses(network, samples)) for kind, samples in self._samples.items()}

    def compare(self, before: Network, after: Network) -> dict[str, dict[str, Score]]:
        """Both, and what `after` needs less, sample by sample: that interval is much smaller than those of the two."""
        found: dict[str, dict[str, Score]] = {"before": {}, "after": {}, "less": {}}
        for kind, samples in self._samples.items():
            old, new = _losses(before, samples), _losses(after, samples)
            found["before"][kind], found["after"][kind] = _score(old), _score(new)
            found["less"][kind] = _score([(b - a, n) for (b, n), (a, _) in zip(old, new)])
        return found


@torch.no_grad()
def _losses(network: Network, samples: list[Sample]) -> list[tuple[float, int]]:
    """For each sample the sum of its nats, and of how many tokens."""
    losses = []
    for sample in samples:
        ids = torch.tensor([sample.ids], device=network.emb.weight.device)
        each = F.cross_entropy(network(ids[:, :-1])[0].float(), ids[0, 1:], reduction="none")
        each = each[-sample.middle :] if sample.middle else each
        losses.append((float(each.sum()), each.numel()))
    return losses


def _score(losses: list[tuple[float, int]]) -> Score:
    total = sum(n for _, n in losses)
    mean = sum(nats for nats, _ in losses) / total
    spread = sum((nats - mean * n) ** 2 for nats, n in losses)
    return Score(mean, math.sqrt(spread) / total, total)


def line(scores: dict[str, Score]) -> str:
    return " ".join(f"{kind} {score.nats:.3f}±{1.96 * score.error:.3f}" for kind, score in scores.items())
