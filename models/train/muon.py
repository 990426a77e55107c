"""Muon: gradients of the weight matrices in, orthogonalised momentum steps out. Embeddings and norms go to AdamW instead."""

from __future__ import annotations

from collections.abc import Iterable

import torch


def orthogonal(gradient: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """A quintic Newton-Schulz iteration: singular values go towards one, cheaply and without an SVD. One matrix or a stack of them."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = gradient.bfloat16() if gradient.size(-2) >= 128 else gradient
    tall = x.size(-2) > x.size(-1)
    x = x.mT if tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return (x.mT if tall else x).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, weights: Iterable[torch.Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(list(weights), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weights in _alike(group["params"]):
                steps = []
                for weight in weights:
                    kept = self.state[weight].setdefault("m", torch.zeros_like(weight))
                    kept.lerp_(weight.grad, 1 - group["momentum"])
                    steps.append(weight.grad.lerp(kept, group["momentum"]))
                rate = group["lr"] * max(1.0, weights[0].size(0) / weights[0].size(1)) ** 0.5
                for weight, update in zip(weights, orthogonal(torch.stack(steps))):
                    weight.add_(update, alpha=-rate)


def _alike(weights: list[torch.Tensor]) -> list[list[torch.Tensor]]:
    """By shape: matrices of one shape are made orthogonal together, in a tenth of the calls."""
    found: dict[torch.Size, list[torch.Tensor]] = {}
    for weight in weights:
        found.setdefault(weight.shape, []).append(weight)
    return list(found.values())
