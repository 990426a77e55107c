"""Pipeline: a preset and options in; each step as a method that reads what earlier steps left in the work folder and leaves its
own file there."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from . import corpus
from .agreement import agree
from .bpe import train_tokenizer
from .distil import distil, prompt, write_continuations
from .export import export
from .fetch import HERE, fetch_alone, fetch_npm, fetch_wheels, listed
from .network import Network
from .roots import language_roots, npm_roots, wheel_roots
from .samples import Sampler
from .scoring import Yardstick, line
from .settings import Preset, Shape, TrainSettings
from .speculation import measure, truths
from .starting import load
from .training import Say, Trainer


class Pipeline:
    def __init__(self, preset: Preset, options: argparse.Namespace, say: Say) -> None:
        self.preset, self.options, self.say = preset, options, say
        self.work: Path = options.work
        torch.set_num_threads(preset.train.threads)
        torch.manual_seed(preset.train.seed)

    def data(self) -> None:
        if self._file("train.jsonl").exists():
            return
        given: Path | None = self.options.npm_modules
        if given is not None:
            roots = list(npm_roots(given))
        else:
            cache = self._file("cache")
            fetched = [fetch_npm(cache), *([fetch_alone(cache)] if self.preset.data.more else [])]
            npm = [root for folder in fetched for root in npm_roots(folder)]
            roots = [*npm, *wheel_roots(fetch_wheels(cache)), *language_roots()]
        sizes = corpus.build(roots, set(listed(HERE / "held-out.txt")), self.preset.data, self.work)
        self.say(f"data: {', '.join(f'{size / 1e6:.1f} MB {language}' for language, size in sizes.items())}")
        held = [root for root in self._project_roots() if root.package.name in set(listed(HERE / "held-out.txt"))]
        everything = corpus.build(held, set(), replace(self.preset.data, validation_share=0.0), self._file("held-out"))
        self.say(f"held out: {sum(everything.values()) / 1e6:.1f} MB in {len(held)} packages")

    def tokenizer(self) -> None:
        if self._file("tokenizer.json").exists():
            return
        if self.options.tokenizer is not None:
            shutil.copyfile(self.options.tokenizer, self._file("tokenizer.json"))
            return
        texts = (document.text for document in corpus.load(self._file("train.jsonl")))
        trained = train_tokenizer(texts, self.preset.target.vocab, self._file("tokenizer.new"))
        if trained.get_vocab_size() != self.preset.target.vocab:
            raise ValueError(
                f"the texts gave {trained.get_vocab_size()} tokens, the networks need {self.preset.target.vocab}"
            )
        os.replace(self._file("tokenizer.new"), self._file("tokenizer.json"))

    def train(self) -> None:
        self._train("target", self.preset.target, self.preset.train, self.options.target_from)

    def compare(self) -> None:
        """The target against the weights that it went on from."""
        if self.options.target_from is None:
            return
        before = load(self.options.target_from, self.preset.target)
        after = load(self._file("target.pt"), self.preset.target)
        for name, yardstick in self._yardsticks(self.preset.train, times=2).items():
            for when, scores in yardstick.compare(before, after).items():
                self.say(f"COMPARE {name} {when} {line(scores)}")

    def draft(self) -> None:
        """The draft before it learns from the target; passed over where weights are given to go on from."""
        if self.options.draft_from is not None:
            if not self._file("draft.pt").exists():
                given = load(self.options.draft_from, self.preset.draft)
                torch.save({"cfg": asdict(given.shape), "sd": given.state_dict()}, self._file("draft.new"))
                os.replace(self._file("draft.new"), self._file("draft.pt"))
            return
        self._train("draft", self.preset.draft, self.preset.draft_train, None)

    def distil(self) -> None:
        if self._file("draft-distilled.pt").exists() and torch.load(self._file("draft-distilled.pt"))["state"]["done"]:
            return
        settings = self.preset.distil
        target = load(self._file("target.pt"), self.preset.target).to(self.preset.train.device)
        target = target.bfloat16() if self.preset.train.bf16 else target
        target.tables()
        sampler = Sampler(self._documents("train.jsonl"), self._tokenizer(), self.preset.samples, seed=21)
        own = self._file("continuations.jsonl")
        if not own.exists():
            write_continuations(target, sampler, settings, own, self.say)
        draft = load(self._file("draft.pt"), self.preset.draft)
        trainer = Trainer(draft, self.preset.draft_train, self._file("draft-distilled.pt"), self.say)
        trainer.resume()
        distil(target, trainer, sampler, own, settings, self.say)

    def export(self) -> None:
        for checkpoint, name in zip(("target.pt", "draft-distilled.pt"), self.preset.names):
            export(self._file(checkpoint), self._file("tokenizer.json"), name, self._file(f"{name}-q8_0.gguf"))
            self.say(f"export: {name}-q8_0.gguf {self._file(f'{name}-q8_0.gguf').stat().st_size / 1e6:.1f} MB")

    def check(self) -> None:
        """The logits of the files against those of the checkpoints, on held-out prompts."""
        torch.set_num_threads(1)
        for checkpoint, name in zip(("target.pt", "draft-distilled.pt"), self.preset.names):
            agreement = agree(
                self._file(checkpoint), self._file(f"{name}-q8_0.gguf"), self._prompts(self.preset.checked_prompts)
            )
            self.say(f"CHECK {name} {json.dumps(asdict(agreement))}")

    def acceptance(self) -> None:
        """Before and after distillation, for the same target on the same held-out prompts."""
        torch.set_num_threads(1)  # Single tokens: a second thread only waits.
        target = load(self._file("target.pt"), self.preset.target)
        prompts = self._prompts(self.preset.speculated_prompts)
        written = truths(target, prompts, self.preset.speculated_tokens)
        for when, checkpoint in (("before", "draft.pt"), ("after", "draft-distilled.pt")):
            draft = load(self._file(checkpoint), self.preset.draft)
            for depth in self.preset.depths:
                found = measure(draft, prompts, written, depth)
                self.say(f"ACCEPTANCE {when} K={depth} {json.dumps(asdict(found))}")

    def _prompts(self, count: int) -> list[list[int]]:
        held_out = self._documents("held-out/train.jsonl")
        sampler = Sampler(
            held_out or self._documents("validation.jsonl"), self._tokenizer(), self.preset.samples, seed=31
        )
        return [prompt(sampler, self.preset.distil.prompt_tokens) for _ in range(count)]

    def _train(self, name: str, shape: Shape, settings: TrainSettings, start: Path | None) -> None:
        network = Network(shape) if start is None else load(start, shape)
        trainer = Trainer(network, settings, self._file(f"{name}.pt"), self.say)
        resumed = trainer.resume()
        self.say(f"{name}: {network.size() / 1e6:.2f} M weights, {'resumed' if resumed else 'started'}")
        sampler = Sampler(
            self._documents("train.jsonl"),
            self._tokenizer(),
            self.preset.samples,
            settings.seed + trainer.state["step"],
        )
        trainer.run(sampler, self._yardsticks(settings))

    def _yardsticks(self, settings: TrainSettings, times: int = 1) -> dict[str, Yardstick]:
        found: dict[str, Yardstick] = {}
        for name, file in (("validation", "validation.jsonl"), ("held-out", "held-out/train.jsonl")):
            documents = self._documents(file) if self._file(file).exists() else []
            if documents:
                sizes = (settings.evaluation_rows * times, settings.short_length)
                found[name] = Yardstick(documents, self._tokenizer(), self.preset.samples, *sizes)
        return found

    def _project_roots(self) -> list[corpus.Root]:
        modules = HERE.parent.parent / "node_modules"
        return list(npm_roots(modules)) if modules.exists() else []

    def _documents(self, name: str) -> list[corpus.Document]:
        return corpus.load(self._file(name))

    def _tokenizer(self) -> Tokenizer:
        return Tokenizer.from_file(str(self._file("tokenizer.json")))

    def _file(self, name: str) -> Path:
        return self.work / name
