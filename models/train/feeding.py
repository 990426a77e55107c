"""Feeding: a way to draw batches in, batches out, in this process or drawn ahead by others. An accelerator learns faster than one
process cuts samples; each of the others has a seed of its own, so that none draws what another did."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Inputs, targets and weights, each rows x length."""
Draw = Callable[[], Batch]
DrawFrom = Callable[[int], Draw]
"""A seed in, a way to draw out; called in the process that draws."""

AHEAD = 8


class Drawn(IterableDataset[Batch]):
    def __init__(self, draw_from: DrawFrom, seed: int) -> None:
        super().__init__()
        self._draw_from, self._seed = draw_from, seed

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        draw = self._draw_from(self._seed if worker is None else self._seed * 1000 + worker.id)
        while True:
            yield draw()


def feed(draw_from: DrawFrom, seed: int, processes: int) -> Iterator[Batch]:
    """Without end. The others are forked, so that they share the documents."""
    if processes == 0:
        return iter(Drawn(draw_from, seed))
    loader = DataLoader(
        Drawn(draw_from, seed),
        batch_size=None,
        num_workers=processes,
        prefetch_factor=AHEAD,
        pin_memory=torch.cuda.is_available(),
        multiprocessing_context="fork",
    )
    return iter(loader)
