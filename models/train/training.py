"""Training: a network, documents and a time budget in, better weights in a checkpoint out. Can be stopped at any moment and
taken up again; a pause by SIGSTOP costs no budget, because one step counts for a few seconds at most."""

from __future__ import annotations

import os
import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Callable

import torch
import torch.nn.functional as F

from .feeding import Draw, feed
from .muon import Muon
from .network import Network
from .samples import Sampler
from .scoring import Yardstick, line
from .settings import TrainSettings

LONGEST_STEP_S = 10.0

Say = Callable[[str], None]
Losses = Callable[[torch.Tensor, slice], torch.Tensor]
"""Logits of a piece of the rows in, a loss for each row of the piece out."""


class Trainer:
    def __init__(self, network: Network, settings: TrainSettings, checkpoint: Path, say: Say) -> None:
        self.settings, self.checkpoint, self.say = settings, checkpoint, say
        self.network = network.to(settings.device)
        self.masters = {name: weight.detach().clone().requires_grad_() for name, weight in network.named_parameters()}
        if settings.bf16:
            network.bfloat16()
            network.tables()
        matrices = [name for name, weight in self.masters.items() if weight.dim() == 2 and "emb" not in name]
        others = [name for name in self.masters if name not in matrices]
        self.muon = Muon([self.masters[name] for name in matrices], lr=settings.muon_rate)
        rest = [self.masters[name] for name in others]
        self.adam = torch.optim.AdamW(rest, lr=settings.adam_rate, betas=(0.9, 0.95), weight_decay=0)
        self.state: dict[str, Any] = {"step": 0, "active": 0.0, "tokens": 0, "done": False}
        self._publish()
        # Long steps are few, and each length is compiled anew.
        self._short_hidden = torch.compile(network.hidden) if settings.compiled else network.hidden

    def resume(self) -> bool:
        if not self.checkpoint.exists():
            return False
        kept = torch.load(self.checkpoint, map_location=self.settings.device)
        with torch.no_grad():
            for name, weight in self.masters.items():
                weight.copy_(kept["sd"][name])
        self.state = kept["state"]
        if not self.state["done"]:
            self.muon.load_state_dict(kept["muon"])
            self.adam.load_state_dict(kept["adam"])
        self._publish()
        return True

    def save(self) -> None:
        """Renamed into place, so that an interrupted write leaves the last one."""
        beside = self.checkpoint.with_suffix(".new")
        kept = {
            "cfg": asdict(self.network.shape),
            "sd": {name: weight.detach().clone() for name, weight in self.masters.items()},
            "state": self.state,
        }
        if not self.state["done"]:
            kept.update(muon=self.muon.state_dict(), adam=self.adam.state_dict())
        torch.save(kept, beside)
        os.replace(beside, self.checkpoint)

    def run(self, sampler: Sampler, yardsticks: dict[str, Yardstick]) -> None:
        settings, state = self.settings, self.state
        if state["done"]:
            return
        batches = feed(self._drawing(sampler), settings.seed + state["step"], settings.feeders)
        budget = settings.minutes * 60
        smooth: torch.Tensor | None = None
        evaluated = saved = state["active"]
        if state["step"] == 0:
            self._evaluate(yardsticks)
        while state["active"] < budget and state["step"] < settings.steps_max:
            began = time.perf_counter()
            batch = next(batches)
            loss = self.step(*batch, share=state["active"] / budget)
            state["step"] += 1
            state["tokens"] += batch[0].numel()
            state["active"] += min(time.perf_counter() - began, LONGEST_STEP_S)
            smooth = loss if smooth is None else 0.97 * smooth + 0.03 * loss
            if state["step"] % settings.log_every_steps == 0:
                rate = state["tokens"] / state["active"]
                self.say(
                    f"step {state['step']} {state['active'] / 60:.1f} min {state['tokens'] / 1e6:.2f} M loss {float(smooth):.3f} {rate:.0f} tok/s"
                )
            if state["active"] - evaluated > settings.evaluate_every_s:
                evaluated = state["active"]
                self._evaluate(yardsticks)
            if state["active"] - saved > settings.save_every_s:
                saved = state["active"]
                self.save()
        state["done"] = True
        self.save()
        self._evaluate(yardsticks)

    def _drawing(self, sampler: Sampler) -> Callable[[int], Draw]:
        settings = self.settings

        def draw_from(seed: int) -> Draw:
            dice = random.Random(seed)
            sampler.again(seed)
            short, long = (settings.short_rows, settings.short_length), (settings.long_rows, settings.long_length)
            return lambda: sampler.batch(
                *(long if dice.random() < settings.long_share else short), settings.middle_weight
            )

        return draw_from

    def step(self, inputs: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor, share: float) -> torch.Tensor:
        flat = targets.reshape(-1).to(self.settings.device, non_blocking=True)
        return self.learn(
            inputs, lambda logits, piece: F.cross_entropy(logits, flat[piece], reduction="none"), weights, share
        )

    def learn(self, inputs: torch.Tensor, losses: Losses, weights: torch.Tensor, share: float) -> torch.Tensor:
        """`share` is how much of the budget is spent: warm up, hold, then go down to nearly nothing."""
        settings = self.settings
        through = self._short_hidden if inputs.size(1) == settings.short_length else self.network.hidden
        hidden = through(inputs.to(settings.device, non_blocking=True)).reshape(-1, self.network.shape.d)
        loss = self._backward(hidden, losses, weights.reshape(-1))
        for name, weight in self.network.named_parameters():
            assert weight.grad is not None
            self.masters[name].grad = weight.grad.float()
            weight.grad = None
        fall = 1.0 if share < settings.hold_share else max(0.02, (1 - share) / (1 - settings.hold_share))
        factor = min(1.0, (self.state["step"] + 1) / settings.warmup_steps) * fall
        for optimiser, rate in ((self.muon, settings.muon_rate), (self.adam, settings.adam_rate)):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
        self.muon.step()
        self.adam.step()
        self._publish()
        return loss

    def _backward(self, hidden: torch.Tensor, losses: Losses, weights: torch.Tensor) -> torch.Tensor:
        """In pieces of rows; the gradient of the hidden states is gathered and sent back once."""
        gathered = hidden.detach().requires_grad_()
        total = float(weights.sum())
        weights = weights.to(hidden.device, non_blocking=True)
        loss = torch.zeros((), device=hidden.device)
        for at in range(0, hidden.size(0), self.settings.rows_at_once):
            piece = slice(at, at + self.settings.rows_at_once)
            logits = F.linear(gathered[piece], self.network.emb.weight).float()
            part = (losses(logits, piece) * weights[piece]).sum() / total
            part.backward()
            loss += part.detach()
        hidden.backward(gathered.grad)
        return loss

    def _evaluate(self, yardsticks: dict[str, Yardstick]) -> None:
        for name, yardstick in yardsticks.items():
            state = self.state
            measured = yardstick.measure(self.network)
            self.say(
                f"EVAL {name} step {state['step']} {state['active'] / 60:.1f} min {state['tokens'] / 1e6:.2f} M {line(measured)}"
            )

    @torch.no_grad()
    def _publish(self) -> None:
        for name, weight in self.network.named_parameters():
            weight.copy_(self.masters[name])
