"""Muon: gradients of the weight matrices in, orthogonalised momentum steps out. Embeddings and norms go to AdamW instead."""

from __future__ import annotations

from collections.abc import Iterable

import torch


def orthogonal(gradient: torch.Tensor, steps: int = 5) -> torch.Tensor:
    """A quintic Newton-Schulz iteration: singular values go towards one, cheaply and without an SVD."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = gradient.bfloat16() if gradient.size(0) >= 128 else gradient
    tall = x.size(0) > x.size(1)
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, weights: Iterable[torch.Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(list(weights), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for weight in group["params"]:
                state = self.state[weight]
                kept = state.setdefault("m", torch.zeros_like(weight))
                kept.lerp_(weight.grad, 1 - group["momentum"])
                update = orthogonal(weight.grad.lerp(kept, group["momentum"]))
                weight.add_(update, alpha=-group["lr"] * max(1.0, weight.size(0) / weight.size(1)) ** 0.5)
