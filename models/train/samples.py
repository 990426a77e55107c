"""Samples: documents in, rows of token ids with a weight for each out. A row holds whole samples:
`<|fim_suffix|> SUFFIX <|fim_prefix|> chunks PREFIX MIDDLE <|endoftext|>`, or a plain piece of a document."""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from .context import Neighbours
from .corpus import Document
from .middles import cut
from .settings import END, PREFIX, SUFFIX, SampleSettings

SMALLEST_ROOM = 64
WORST_BYTES_PER_TOKEN = 5.0


@dataclass(frozen=True)
class Sample:
    """Token ids; the last `middle` of them are what an engine would be asked for, end of text included; 0 in plain text."""

    ids: list[int]
    middle: int


class Sampler:
    def __init__(
        self, documents: Sequence[Document], tokenizer: Tokenizer, settings: SampleSettings, seed: int
    ) -> None:
        self._settings = settings
        self._tokenizer = tokenizer
        self._dice = random.Random(seed)
        self._neighbours = Neighbours(documents)
        self._by_language: dict[str, tuple[list[Document], list[int]]] = {}
        for language in settings.language_weights:
            chosen = [document for document in documents if document.language == language]
            if chosen:
                sums = list(itertools.accumulate(len(document.text) for document in chosen))
                self._by_language[language] = (chosen, sums)
        if not self._by_language:
            raise ValueError("there are no documents in the wanted languages")

    def again(self, seed: int) -> None:
        """From here on as a sampler with this seed would draw."""
        self._dice.seed(seed)

    def batch(self, rows: int, length: int, middle_weight: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs, targets and weights, each rows x length."""
        ids = torch.zeros(rows, length + 1, dtype=torch.long)
        weights = torch.zeros(rows, length + 1)
        for row in range(rows):
            at = 0
            while length + 1 - at >= SMALLEST_ROOM:
                sample = self.sample(self._room(length + 1 - at, at == 0))
                size = len(sample.ids)
                ids[row, at : at + size] = torch.tensor(sample.ids)
                weights[row, at : at + size] = 1.0
                weights[row, at + size - sample.middle : at + size] = middle_weight if sample.middle else 1.0
                weights[row, at] = 0.0  # nothing before a sample tells how it begins
                at += size
        return ids[:, :-1], ids[:, 1:], weights[:, 1:]

    def sample(self, room: int, context: bool | None = None, plain: bool | None = None) -> Sample:
        """One sample of at most `room` tokens; `context` and `plain` force what is else drawn."""
        dice, settings = self._dice, self._settings
        document = self._document()
        window, whole = self._window(document.text, int(room * settings.bytes_per_token))
        if plain if plain is not None else dice.random() < settings.plain_share:
            ids = self._encode(window)[: room - 1]
            return Sample(ids + ([END] if whole else []), 0)
        prefix, middle, suffix = cut(window, dice)
        chunks: list[str] = []
        if context if context is not None else dice.random() < settings.context_share:
            budget = int(room * settings.bytes_per_token * dice.uniform(0.15, 0.35))
            chunks = self._neighbours.chunks(document, prefix[-300:] + middle + suffix[:100], budget, dice)
        return self._fit(prefix, middle, suffix, chunks, room)

    def _fit(self, prefix: str, middle: str, suffix: str, chunks: list[str], room: int) -> Sample:
        """Chunks and middle stay whole; the suffix loses its end, then the prefix its beginning."""
        middle_ids = self._encode(middle)[: self._settings.middle_tokens_max]
        chunk_ids = [token for chunk in chunks for token in self._encode(chunk)][: room // 2]
        left = max(8, room - 3 - len(middle_ids) - len(chunk_ids))
        suffix_room = int(left * self._dice.choice((0.0, 0.05, 0.15, 0.25, 0.4)))
        suffix_text = suffix[: int(suffix_room * self._settings.bytes_per_token)]
        if len(suffix_text) < len(suffix) and "\n" in suffix_text[1:]:
            suffix_text = suffix_text[: suffix_text.rindex("\n") + 1]
        suffix_ids = self._encode(suffix_text)[:suffix_room]
        prefix_room = left - len(suffix_ids)
        prefix_ids = self._encode(prefix[-int(prefix_room * WORST_BYTES_PER_TOKEN) :])[-prefix_room:]
        ids = [SUFFIX, *suffix_ids, PREFIX, *chunk_ids, *prefix_ids, *middle_ids, END]
        return Sample(ids[-room:], len(middle_ids) + 1)

    def _document(self) -> Document:
        languages = list(self._by_language)
        weights = [self._settings.language_weights[language] for language in languages]
        documents, sums = self._by_language[self._dice.choices(languages, weights)[0]]
        return documents[bisect.bisect_right(sums, self._dice.randrange(sums[-1]))]

    def _window(self, text: str, size: int) -> tuple[str, bool]:
        """A piece from a line start, a quarter of the time from the document's; and whether it reaches the end."""
        begin = 0
        if self._dice.random() > 0.25:
            begin = text.rfind("\n", 0, self._dice.randrange(max(1, len(text) - size // 2))) + 1
        piece = text[begin : begin + size]
        if len(piece) < 40:
            begin, piece = 0, text[:size]
        return piece, begin + size >= len(text)

    def _room(self, left: int, first: bool) -> int:
        """Small samples bring more middles for the same tokens, large ones teach to look far back."""
        shares = (0.35, 0.5, 1.0, 1.0) if first else (0.5, 1.0)
        room = max(SMALLEST_ROOM, int(left * self._dice.choice(shares)))
        return left if left - room < SMALLEST_ROOM else room

    def _encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids if text else []
