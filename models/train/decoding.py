"""Decoding: a network and prompts in, continuations out: greedy for one prompt, greedy or sampled for many of one length."""

from __future__ import annotations

import torch

from .network import Cache, Network
from .settings import END


@torch.no_grad()
def greedy(network: Network, prompt: list[int], tokens: int) -> tuple[list[int], torch.Tensor]:
    """The continuation up to and with end of text, and the logits of its first position."""
    cache = Cache(network.shape.L)
    logits = network.last(torch.tensor([prompt]), cache)[0]
    first, out = logits, []
    while True:
        out.append(int(logits.argmax()))
        if out[-1] == END or len(out) == tokens:
            return out, first
        logits = network.last(torch.tensor([[out[-1]]]), cache)[0]


@torch.no_grad()
def continuations(network: Network, prompts: list[list[int]], tokens: int, sampled: bool) -> list[list[int]]:
    """All prompts have one length. Ends a row at its end of text."""
    cache = Cache(network.shape.L)
    ids = torch.tensor(prompts, device=network.emb.weight.device)
    out: list[torch.Tensor] = []
    for _ in range(tokens):
        logits = network.last(ids, cache)
        ids = torch.multinomial(logits.softmax(-1), 1) if sampled else logits.argmax(-1, keepdim=True)
        out.append(ids)
        if bool(torch.stack([(step == END).any(0) for step in torch.stack(out).unbind(1)]).all()):
            break
    rows = torch.cat(out, 1).tolist()
    return [row[: row.index(END) + 1] if END in row else row for row in rows]
