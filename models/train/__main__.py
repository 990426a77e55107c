"""`python3 -m models.train`: the whole pipeline as one command. Options in; checkpoints, figures and two GGUF files in the work
folder out. Every step leaves a file behind and is passed over when that file is there, so a run goes on where it was."""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

STEPS = ("data", "tokenizer", "train", "compare", "draft", "distil", "export", "check", "acceptance")
# A few megabytes come and go in every step; without these the kernel clears pages half of the time.
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
    "THP_MEM_ALLOC_ENABLE": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "TOKENIZERS_PARALLELISM": "false",
}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m models.train", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for everything that the run makes")
    parser.add_argument("--preset", choices=("full", "gpu", "tiny"), default="full")
    parser.add_argument("--steps", default=",".join(STEPS), help="comma-separated, in order: " + ", ".join(STEPS))
    parser.add_argument(
        "--npm-modules", type=Path, help="learn from this node_modules instead of fetching the pinned list"
    )
    parser.add_argument("--tokenizer", type=Path, help="keep this tokenizer instead of training one")
    parser.add_argument("--target-from", type=Path, help="weights to go on from: a checkpoint, or a GGUF file")
    parser.add_argument("--draft-from", type=Path, help="weights to go on from: a checkpoint, or a GGUF file")
    parser.add_argument("--minutes", type=float, help="active minutes of the target's leg")
    return parser.parse_args()


def main() -> int:
    if any(os.environ.get(name) != value for name, value in ALLOCATOR.items()):
        os.environ.update(ALLOCATOR)
        os.execv(sys.executable, [sys.executable, "-m", "models.train", *sys.argv[1:]])
    chosen = options()
    from .pipeline import Pipeline
    from .settings import presets
    from .starting import WrongWeights

    preset = presets[chosen.preset]
    if chosen.minutes is not None:
        preset = replace(preset, train=replace(preset.train, minutes=chosen.minutes))
    chosen.work.mkdir(parents=True, exist_ok=True)
    log = open(chosen.work / "log.txt", "a")

    def say(text: str) -> None:
        stamped = f"{time.strftime('%H:%M:%S')} {text}"
        print(stamped, flush=True)
        log.write(stamped + "\n")
        log.flush()

    pipeline = Pipeline(preset, chosen, say)
    for step in chosen.steps.split(","):
        if step not in STEPS:
            say(f"there is no step {step}; there are {', '.join(STEPS)}")
            return 64
        try:
            getattr(pipeline, step)()
        except WrongWeights as wrong:
            say(f"{step}: {wrong}")
            return 64
    return 0


if __name__ == "__main__":
    sys.exit(main())
