"""Speculation: a target, a draft and prompts in; the share of drafted tokens that the target accepts and the tokens a block out.
Greedy, so the text is the target's own; the engine's measurement is `slipstream bench speculation`."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch

from .decoding import greedy
from .network import Cache, Network
from .settings import END

RESAMPLES = 2000


@dataclass
class Span:
    drafted: int = 0
    accepted: int = 0
    blocks: int = 0
    tokens: int = 0


@dataclass(frozen=True)
class Acceptance:
    spans: int
    share: float
    low: float
    high: float
    tokens_per_block: float


def truths(target: Network, prompts: list[list[int]], tokens: int) -> list[list[int]]:
    """What the target writes, which is also what it writes with a draft."""
    return [greedy(target, prompt, tokens)[0] for prompt in prompts]


def measure(draft: Network, prompts: list[list[int]], written: list[list[int]], depth: int) -> Acceptance:
    spans = [_span(draft, prompt, truth, depth) for prompt, truth in zip(prompts, written)]
    low, high = _interval(spans)
    blocks = sum(span.blocks for span in spans)
    return Acceptance(len(spans), _share(spans), low, high, sum(span.tokens for span in spans) / max(1, blocks))


@torch.no_grad()
def _span(draft: Network, prompt: list[int], truth: list[int], depth: int) -> Span:
    """Each block drafts `depth` tokens after what is accepted so far; the target's next token is its own."""
    span = Span(tokens=len(truth))
    cache = Cache(draft.shape.L)
    known: list[int] = list(prompt)
    at = 0
    while at < len(truth):
        drafted: list[int] = []
        while len(drafted) < min(depth, len(truth) - at):
            fresh = (known + drafted)[cache.length :]
            drafted.append(int(draft.last(torch.tensor([fresh]), cache)[0].argmax()))
            if drafted[-1] == END:
                break
        agreed = next((i for i, token in enumerate(drafted) if token != truth[at + i]), len(drafted))
        span.blocks += 1
        span.drafted += len(drafted)
        span.accepted += agreed
        taken = min(agreed + 1, len(truth) - at)
        known += truth[at : at + taken]
        at += taken
        cache.keep(min(cache.length, len(known) - 1))
    return span


def _share(spans: list[Span]) -> float:
    return sum(span.accepted for span in spans) / max(1, sum(span.drafted for span in spans))


def _interval(spans: list[Span]) -> list[float]:
    """95 %, by resampling whole spans: tokens of one span are not independent."""
    dice = random.Random(3)
    shares = sorted(_share(dice.choices(spans, k=len(spans))) for _ in range(RESAMPLES))
    return [shares[math.floor(RESAMPLES * 0.025)], shares[math.floor(RESAMPLES * 0.975)]]
