"""Network: token ids in, logits out. Llama's shape (RMS norm, rotary positions in interleaved pairs, grouped queries, SwiGLU,
tied embedding), so that the exported tensors need no permutation. Runs on torch 1.13 and 2.x."""

from __future__ import annotations

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .settings import Shape

_fused_attention = getattr(F, "scaled_dot_product_attention", None)


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """The queries are those of the last positions."""
    asked, known = q.size(-2), k.size(-2)
    if _fused_attention is not None and asked == known:
        return _fused_attention(q, k, v, is_causal=True)
    mask = torch.ones(asked, known, dtype=torch.bool, device=q.device).triu(1 + known - asked)
    scores = (q @ k.transpose(-2, -1)) / math.sqrt(q.size(-1))
    return scores.masked_fill(mask, float("-inf")).softmax(-1) @ v


def rotary_table(length: int, head: int, theta: float) -> tuple[torch.Tensor, torch.Tensor]:
    frequencies = theta ** (-torch.arange(0, head, 2).float() / head)
    angles = torch.outer(torch.arange(length).float(), frequencies)
    return angles.cos(), angles.sin()


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Norm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if hasattr(F, "rms_norm"):
            return F.rms_norm(x, (x.size(-1),), self.w.to(x.dtype), self.eps)
        scale = torch.rsqrt(x.float().pow(2).mean(-1, keepdim=True) + self.eps)
        return (x.float() * scale).to(x.dtype) * self.w.to(x.dtype)


class Cache:
    """Keys and values of the positions that a network has been through, by block; `keep` forgets the later ones."""

    def __init__(self, blocks: int) -> None:
        self._kept: list[tuple[torch.Tensor, torch.Tensor] | None] = [None] * blocks
        self.length = 0

    def extend(self, block: int, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        before = self._kept[block]
        if before is not None:
            k, v = torch.cat((before[0], k), -2), torch.cat((before[1], v), -2)
        self._kept[block] = (k, v)
        return k, v

    def keep(self, length: int) -> None:
        self._kept = [pair and (pair[0][..., :length, :], pair[1][..., :length, :]) for pair in self._kept]
        self.length = min(self.length, length)


class Block(nn.Module):
    def __init__(self, shape: Shape, index: int) -> None:
        super().__init__()
        self.shape = shape
        self.index = index
        self.head = shape.d // shape.h
        self.n1, self.n2 = Norm(shape.d, shape.eps), Norm(shape.d, shape.eps)
        self.qkv = nn.Linear(shape.d, (shape.h + 2 * shape.kv) * self.head, bias=False)
        self.o = nn.Linear(shape.d, shape.d, bias=False)
        self.gu = nn.Linear(shape.d, 2 * shape.ff, bias=False)
        self.dn = nn.Linear(shape.ff, shape.d, bias=False)

    def forward(
        self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, cache: Cache | None = None
    ) -> torch.Tensor:
        rows, length, width = x.shape
        heads, groups = self.shape.h, self.shape.kv
        q, k, v = self.qkv(self.n1(x)).split([heads * self.head, groups * self.head, groups * self.head], -1)
        q = rotate(q.view(rows, length, heads, self.head).transpose(1, 2), cos, sin)
        k = rotate(k.view(rows, length, groups, self.head).transpose(1, 2), cos, sin)
        v = v.view(rows, length, groups, self.head).transpose(1, 2)
        if cache is not None:
            k, v = cache.extend(self.index, k, v)
        if groups != heads:
            k, v = k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1)
        x = x + self.o(attention(q, k, v).transpose(1, 2).reshape(rows, length, width))
        gate, up = self.gu(self.n2(x)).chunk(2, -1)
        return x + self.dn(F.silu(gate) * up)


class Network(nn.Module):
    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.emb = nn.Embedding(shape.vocab, shape.d)
        self.blocks = nn.ModuleList([Block(shape, index) for index in range(shape.L)])
        self.nf = Norm(shape.d, shape.eps)
        self.tables()
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                residual = 1 / math.sqrt(2 * shape.L) if name.endswith(("o.weight", "dn.weight")) else 1
                nn.init.normal_(weight, 0, 0.02 if "emb" in name else residual / math.sqrt(weight.size(1)))

    def tables(self) -> None:
        """Positions stay in f32 when the weights become bf16."""
        cos, sin = rotary_table(self.shape.ctx, self.shape.d // self.shape.h, self.shape.theta)
        cos, sin = cos.to(self.emb.weight.device), sin.to(self.emb.weight.device)
        self.register_buffer("cos", cos, False)
        self.register_buffer("sin", sin, False)

    def hidden(self, ids: torch.Tensor, cache: Cache | None = None) -> torch.Tensor:
        x = self.emb(ids)
        at = cache.length if cache is not None else 0
        cos, sin = (table[at : at + ids.size(1)].to(x.dtype) for table in (self.cos, self.sin))
        for block in self.blocks:
            x = block(x, cos, sin, cache)
        if cache is not None:
            cache.length += ids.size(1)
        return self.nf(x)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return F.linear(self.hidden(ids), self.emb.weight)

    def last(self, ids: torch.Tensor, cache: Cache) -> torch.Tensor:
        """Logits after the last of some further ids, for each row."""
        return F.linear(self.hidden(ids, cache)[:, -1], self.emb.weight).float()

    def size(self) -> int:
        return sum(weight.numel() for weight in self.parameters())
