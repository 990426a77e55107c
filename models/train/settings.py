"""Settings: everything that a run can vary, in one place. In: a preset's name. Out: plain data classes; nothing here acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

END, PREFIX, SUFFIX = 0, 1, 2
SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<|pad|>",
)


@dataclass(frozen=True)
class Shape:
    """A Llama-shaped network; the names are those that the checkpoints keep."""

    vocab: int = 8192
    d: int = 192
    L: int = 6
    h: int = 3
    kv: int = 1
    ff: int = 512
    ctx: int = 2048
    theta: float = 10_000.0
    eps: float = 1e-5


@dataclass(frozen=True)
class DataSettings:
    """How much text to keep, by language and by package; bytes."""

    language_bytes: Mapping[str, int] = field(
        default_factory=lambda: {"ts": 45_000_000, "js": 25_000_000, "py": 14_000_000, "go": 10_000_000}
    )
    package_bytes: int = 4_000_000
    more: bool = False
    """The packages of npm-alone.txt too."""
    validation_share: float = 0.04
    seed: int = 7


@dataclass(frozen=True)
class SampleSettings:
    """What a training row looks like."""

    language_weights: Mapping[str, float] = field(
        default_factory=lambda: {"ts": 0.56, "js": 0.24, "py": 0.12, "go": 0.08}
    )
    context_share: float = 0.30
    plain_share: float = 0.08
    bytes_per_token: float = 3.2
    middle_tokens_max: int = 120


@dataclass(frozen=True)
class TrainSettings:
    """One leg of training. Tokens of a step: rows x length, for short and for long steps. The short length is what the product
    asks for: 512 tokens of prompt and a text."""

    minutes: float = 56.0
    short_rows: int = 4
    short_length: int = 576
    long_rows: int = 1
    long_length: int = 2048
    long_share: float = 0.04
    muon_rate: float = 0.010
    adam_rate: float = 1.5e-3
    warmup_steps: int = 30
    hold_share: float = 0.25
    middle_weight: float = 5.0
    bf16: bool = True
    threads: int = 1
    seed: int = 1
    evaluate_every_s: float = 1500.0
    save_every_s: float = 60.0
    evaluation_rows: int = 48
    log_every_steps: int = 25
    steps_max: int = 1_000_000
    device: str = "cpu"
    compiled: bool = False
    """Short steps only, by torch.compile."""
    feeders: int = 0
    """Processes that cut samples beside the one that learns; 0: it cuts its own."""
    rows_at_once: int = 2048
    """Logits of a whole batch would be the largest thing in memory."""


@dataclass(frozen=True)
class DistilSettings:
    """The draft learns the continuations that the target itself writes."""

    minutes: float = 7.5
    prompts: int = 4000
    generated_tokens: int = 32
    prompt_tokens: int = 320
    generate_batch: int = 32
    generate_minutes: float = 2.0
    greedy_share: float = 0.6
    muon_rate: float = 0.006
    adam_rate: float = 1.0e-3


@dataclass(frozen=True)
class Preset:
    data: DataSettings
    samples: SampleSettings
    train: TrainSettings
    draft_train: TrainSettings
    distil: DistilSettings
    target: Shape
    draft: Shape
    names: tuple[str, str]
    checked_prompts: int = 24
    speculated_prompts: int = 120
    speculated_tokens: int = 24
    depths: tuple[int, ...] = (4, 2)


full = Preset(
    data=DataSettings(),
    samples=SampleSettings(),
    train=TrainSettings(),
    draft_train=TrainSettings(minutes=5.0),
    distil=DistilSettings(),
    target=Shape(),
    draft=Shape(d=128, L=2, h=2, kv=1, ff=352),
    names=("slipstream-fim-4m", "slipstream-draft-1m"),
)

# Ten minutes of one H100: 64 rows a step, samples cut by fifteen processes. What it makes is what is shipped.
gpu_train = TrainSettings(
    minutes=5.0,
    short_rows=64,
    long_rows=16,
    muon_rate=0.02,
    adam_rate=3e-3,
    warmup_steps=100,
    hold_share=0.4,
    save_every_s=120.0,
    log_every_steps=200,
    device="cuda",
    compiled=True,
    feeders=14,
    rows_at_once=40_000,
)
gpu = Preset(
    data=DataSettings(language_bytes={"ts": 110_000_000, "js": 45_000_000, "py": 45_000_000, "go": 20_000_000}, more=True),
    samples=SampleSettings(),
    train=gpu_train,
    draft_train=gpu_train,
    distil=DistilSettings(minutes=1.7, prompts=12_000, generate_batch=256, generate_minutes=0.5),
    target=Shape(d=384, L=6, h=6, kv=2, ff=1024),
    draft=full.draft,
    names=("slipstream-fim-13m", "slipstream-draft-1m"),
)

# Seconds, not quality: the same steps on a few files with networks of some ten thousand weights.
tiny_train = TrainSettings(
    minutes=1.0,
    short_rows=2,
    short_length=96,
    long_rows=1,
    long_length=256,
    warmup_steps=2,
    bf16=False,
    threads=1,
    evaluate_every_s=1e9,
    evaluation_rows=4,
    log_every_steps=5,
    steps_max=40,
)
tiny = Preset(
    data=DataSettings(language_bytes={"ts": 300_000, "js": 300_000}, package_bytes=100_000, validation_share=0.2),
    samples=SampleSettings(language_weights={"ts": 0.5, "js": 0.5}),
    train=tiny_train,
    draft_train=tiny_train,
    distil=DistilSettings(minutes=1.0, prompts=16, generated_tokens=8, prompt_tokens=64, generate_batch=4),
    target=Shape(vocab=512, d=64, L=2, h=2, kv=1, ff=96, ctx=256),
    draft=Shape(vocab=512, d=32, L=1, h=1, kv=1, ff=64, ctx=256),
    names=("slipstream-fim-tiny", "slipstream-draft-tiny"),
    checked_prompts=6,
    speculated_prompts=6,
    depths=(4,),
)

presets: Mapping[str, Preset] = {"full": full, "gpu": gpu, "tiny": tiny}
