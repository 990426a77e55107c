"""Distil: the target, the draft and documents in, a draft that says what the target would say out. The target first writes its own
continuations, greedy and sampled; the draft then learns the target's whole distribution on them and on plain samples."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from .decoding import continuations
from .feeding import Draw, feed
from .network import Network
from .samples import Sampler
from .settings import PREFIX, DistilSettings, TrainSettings
from .training import LONGEST_STEP_S, Say, Trainer

Sequence = tuple[list[int], int]
"""Ids, and how many of the last are the target's own."""


def write_continuations(target: Network, sampler: Sampler, settings: DistilSettings, out: Path, say: Say) -> None:
    """Groups of prompts of one length, so that a group is one batch without padding."""
    dice = random.Random(5)
    began = time.perf_counter()
    written = 0
    with open(out.with_suffix(".new"), "w") as file:
        while written < settings.prompts and time.perf_counter() - began < settings.generate_minutes * 60:
            length = dice.choice((settings.prompt_tokens // 4, settings.prompt_tokens // 2, settings.prompt_tokens))
            prompts = [prompt(sampler, length) for _ in range(settings.generate_batch)]
            sampled = dice.random() > settings.greedy_share
            for asked, answer in zip(prompts, continuations(target, prompts, settings.generated_tokens, sampled)):
                file.write(json.dumps([asked + answer, len(answer)]) + "\n")
                written += 1
    os.replace(out.with_suffix(".new"), out)
    say(f"distil: the target wrote {written} continuations in {(time.perf_counter() - began) / 60:.1f} min")


def prompt(sampler: Sampler, length: int) -> list[int]:
    """A sample without its middle, of exactly `length` tokens: the prefix loses its beginning."""
    while True:
        sample = sampler.sample(length + 140, plain=False)
        asked = sample.ids[: -sample.middle]
        surplus = len(asked) - length
        after = asked.index(PREFIX) + 1 if PREFIX in asked else length
        if 0 <= surplus < len(asked) - after:
            return asked[:after] + asked[after + surplus :]


def distil(target: Network, trainer: Trainer, sampler: Sampler, own: Path, settings: DistilSettings, say: Say) -> None:
    sequences: list[Sequence] = [tuple(json.loads(line)) for line in own.read_text().splitlines()]
    state, budget = trainer.state, settings.minutes * 60
    trainer.settings = train = replace(trainer.settings, muon_rate=settings.muon_rate, adam_rate=settings.adam_rate)
    batches = feed(_drawing(sampler, sequences, train), 11 + state["step"], train.feeders)
    smooth: torch.Tensor | None = None
    saved = state["active"]
    while not state["done"] and state["active"] < budget and state["step"] < train.steps_max:
        began = time.perf_counter()
        inputs, _, weights = next(batches)
        loss = _step(target, trainer, inputs, weights, state["active"] / budget)
        state["step"] += 1
        state["tokens"] += int(inputs.numel())
        state["active"] += min(time.perf_counter() - began, LONGEST_STEP_S)
        smooth = loss if smooth is None else 0.97 * smooth + 0.03 * loss
        if state["step"] % train.log_every_steps == 0:
            say(
                f"distil step {state['step']} {state['active'] / 60:.1f} min {state['tokens'] / 1e6:.2f} M divergence {float(smooth):.3f}"
            )
        if state["active"] - saved > train.save_every_s:
            saved = state["active"]
            trainer.save()
    state["done"] = True
    trainer.save()


def _drawing(sampler: Sampler, sequences: list[Sequence], train: TrainSettings) -> Callable[[int], Draw]:
    def draw_from(seed: int) -> Draw:
        dice = random.Random(seed)
        sampler.again(seed)
        some = min(len(sequences), train.short_rows + 2)
        return lambda: (
            sampler.batch(train.short_rows, train.short_length, train.middle_weight)
            if dice.random() < 0.5
            else _padded(dice.sample(sequences, some), train)
        )

    return draw_from


def _padded(sequences: list[Sequence], train: TrainSettings) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    length = max(len(ids) for ids, _ in sequences)
    ids = torch.zeros(len(sequences), length, dtype=torch.long)
    weights = torch.zeros(len(sequences), length)
    for row, (sequence, own) in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        weights[row, 1 : len(sequence)] = 1.0
        weights[row, len(sequence) - own : len(sequence)] = train.middle_weight
    return ids[:, :-1], ids[:, 1:], weights[:, 1:]


def _step(target: Network, trainer: Trainer, inputs: torch.Tensor, weights: torch.Tensor, share: float) -> torch.Tensor:
    with torch.no_grad():
        taught = target.hidden(inputs.to(trainer.settings.device)).reshape(-1, target.shape.d)

    def divergence(logits: torch.Tensor, piece: slice) -> torch.Tensor:
        with torch.no_grad():
            wanted = F.linear(taught[piece], target.emb.weight).float().log_softmax(-1)
        return F.kl_div(logits.log_softmax(-1), wanted, reduction="none", log_target=True).sum(-1)

    return trainer.learn(inputs, divergence, weights, share)
