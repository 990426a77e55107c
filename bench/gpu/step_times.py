"""What one step costs on the GPU of this machine: shapes of published models in, milliseconds out.

The profiles of simulated workers (workers/engine/simulated/profiles.ts) say step(b) = s0 + s1 * b ms, a verify of k drafts
step * (1 + slope * k) and some prompt tokens a second. This measures those figures with torch alone: FP8 matrices as FP8 checkpoints
have them (the head stays bf16), the library's attention over a cache of 1,024 tokens, a CUDA graph for every decode step. Weights are
random: nothing here depends on their values. A serving engine's own kernels and its scheduler are not in it.

  python3 bench/gpu/step_times.py [--shapes 7b,0.5b] [--out figures.json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F

FP8 = torch.float8_e4m3fn
CONTEXT = 1024
BATCHES = (1, 2, 4, 8, 16, 32, 64)
DRAFTS = (0, 1, 2, 4, 8)
PROMPTS = (128, 256, 512, 2048, 4096)


@dataclass(frozen=True)
class Shape:
    layers: int
    width: int
    heads: int
    groups: int
    inner: int
    vocabulary: int

    @property
    def head(self) -> int:
        return self.width // self.heads


# Sizes as the models' published configurations have them; eagle3: one layer and a head of 32,000 words before a 7B target.
SHAPES = {
    "7b": Shape(28, 3584, 28, 4, 18944, 152064),
    "0.5b": Shape(24, 896, 14, 2, 4864, 151936),
    "eagle3-7b": Shape(1, 3584, 28, 4, 18944, 32000),
    "3b": Shape(36, 2048, 16, 2, 11008, 151936),
    "32b": Shape(64, 5120, 40, 8, 27648, 152064),
}


@torch.compile(dynamic=True)
def normed(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    wide = x.float()
    return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6) * weight).to(FP8)


@torch.compile(dynamic=True)
def added(x: torch.Tensor, more: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    total = x + more
    wide = total.float()
    return total, (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6) * weight).to(FP8)


@torch.compile(dynamic=True)
def gated(both: torch.Tensor) -> torch.Tensor:
    gate, up = both.chunk(2, -1)
    return (F.silu(gate.float()) * up.float()).to(FP8)


@torch.compile(dynamic=True)
def turned(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.float().chunk(2, -1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), -1).to(torch.bfloat16)


class Model:
    def __init__(self, shape: Shape, batch_max: int) -> None:
        self.shape = s = shape
        self.one = torch.ones((), device="cuda")
        self.layers = [
            {
                "qkv": _matrix(s.width, (s.heads + 2 * s.groups) * s.head),
                "o": _matrix(s.heads * s.head, s.width),
                "gu": _matrix(s.width, 2 * s.inner),
                "dn": _matrix(s.inner, s.width),
            }
            for _ in range(s.layers)
        ]
        self.norm = torch.ones(s.width, device="cuda")
        self.words = torch.randn(s.vocabulary, s.width, device="cuda", dtype=torch.bfloat16) * 0.02
        room = (batch_max, s.groups, CONTEXT + max(DRAFTS) + 1, s.head)
        self.kept = [(_kept(room), _kept(room)) for _ in range(s.layers)]

    def step(self, ids: torch.Tensor, known: int, every: bool = False) -> torch.Tensor:
        """ids: rows x tokens, after `known` tokens of each row. Logits of each row's last token, or of all of them."""
        s, (rows, tokens) = self.shape, ids.shape
        cos, sin = (torch.rand(tokens, s.head // 2, device="cuda") for _ in range(2))
        x = self.words[ids.reshape(-1)]
        y = normed(x, self.norm)
        for layer, (keys, values) in zip(self.layers, self.kept):
            qkv = self._times(y, layer["qkv"]).view(rows, tokens, s.heads + 2 * s.groups, s.head).transpose(1, 2)
            q, k, v = qkv.split((s.heads, s.groups, s.groups), 1)
            q, k = turned(q, cos, sin), turned(k, cos, sin)
            if known:
                keys[:rows, :, known : known + tokens] = k
                values[:rows, :, known : known + tokens] = v
                k, v = keys[:rows, :, : known + tokens], values[:rows, :, : known + tokens]
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=not known and tokens > 1, enable_gqa=True)
            mixed = mixed.transpose(1, 2).reshape(rows * tokens, -1).to(FP8)
            x, y = added(x, self._times(mixed, layer["o"]), self.norm)
            x, y = added(x, self._times(gated(self._times(y, layer["gu"])), layer["dn"]), self.norm)
        last = x if every else x.view(rows, tokens, -1)[:, -1]
        return F.linear(last, self.words)

    def _times(self, x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        short = -x.size(0) % 16
        x = F.pad(x.view(torch.uint8), (0, 0, 0, short)).view(FP8) if short else x
        return self._scaled(x, matrix)[: x.size(0) - short]

    def _scaled(self, x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        return torch._scaled_mm(x, matrix, scale_a=self.one, scale_b=self.one, out_dtype=torch.bfloat16)


def _matrix(inputs: int, outputs: int) -> torch.Tensor:
    return (torch.randn(outputs, inputs, device="cuda", dtype=torch.bfloat16) * 0.02).to(FP8).t()


def _kept(room: tuple[int, ...]) -> torch.Tensor:
    return torch.randn(room, device="cuda", dtype=torch.bfloat16)


def graphed(work: Callable[[], torch.Tensor]) -> float:
    """Median ms of a step that is replayed from a graph."""
    for _ in range(3):
        work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return timed(graph.replay, 40)


def timed(work: Callable[[], object], times: int) -> float:
    for _ in range(4):
        work()
    taken = []
    for _ in range(times):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        torch.cuda.synchronize()
        taken.append(begin.elapsed_time(end))
    return statistics.median(taken)


def line(points: dict[int, float]) -> tuple[float, float]:
    """Least squares: s0 and s1."""
    xs, ys = list(points), list(points.values())
    mx, my = statistics.mean(xs), statistics.mean(ys)
    slope = sum((x - mx) * (y - my) for x, y in zip(xs, ys)) / sum((x - mx) ** 2 for x in xs)
    return my - slope * mx, slope


@torch.no_grad()
def measure(name: str, shape: Shape) -> dict[str, object]:
    model = Model(shape, max(BATCHES))
    ids = torch.randint(0, shape.vocabulary, (max(BATCHES), max(PROMPTS)), device="cuda")
    step = {b: graphed(lambda b=b: model.step(ids[:b, :1], CONTEXT)) for b in BATCHES}
    verify = {
        k: {b: graphed(lambda b=b, k=k: model.step(ids[:b, : k + 1], CONTEXT, every=True)) for b in (1, 8, 16)}
        for k in DRAFTS
    }
    prompt = {n: timed(lambda n=n: model.step(ids[:1, :n], 0), 10) for n in PROMPTS}
    s0, s1 = line(step)
    slopes = [(verify[k][b] / verify[0][b] - 1) / k for k in DRAFTS if k for b in verify[k]]
    return {
        "name": name,
        "shape": asdict(shape),
        "step_ms": step,
        "s0_ms": round(s0, 3),
        "s1_ms": round(s1, 4),
        "verify_ms": verify,
        "verify_slope": round(statistics.median(slopes), 4),
        "prompt_ms": prompt,
        "prompt_tokens_per_second": {n: round(n / ms * 1000) for n, ms in prompt.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", default="7b,0.5b,eagle3-7b,3b", help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--out", help="a file for the figures, as JSON")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        parser.exit(1, "there is no CUDA GPU here\n")
    found: dict[str, object] = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "shapes": []}
    for name in options.shapes.split(","):
        if name not in SHAPES:
            parser.exit(64, f"--shapes: there is no shape {name}; there are {', '.join(SHAPES)}\n")
        began = time.perf_counter()
        figures = measure(name, SHAPES[name])
        found["shapes"].append(figures)  # type: ignore[attr-defined]
        print(
            f"{found['device']} {name}: s0 {figures['s0_ms']} ms, s1 {figures['s1_ms']} ms, "
            f"a draft more costs {figures['verify_slope']} of a step, prompt {figures['prompt_tokens_per_second']} tok/s "
            f"({time.perf_counter() - began:.0f} s)",
            flush=True,
        )
        torch.cuda.empty_cache()
        if options.out:
            with open(options.out, "w") as file:
                json.dump(found, file, indent=1)


if __name__ == "__main__":
    main()
