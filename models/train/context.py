"""Context: a document and its package's other documents in, one to four path-headed chunks out, in the form in which the
router's prompt renders them: `// Path: x`, the chunk's lines, in order of their paths, right before the prefix."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from .corpus import Document

CANDIDATES = 8
IDENTIFIER = re.compile(r"[A-Za-z_]\w{3,}")
IMPORTED = re.compile(r"""(?:from|require\(|import)\s*\(?["']\.{1,2}/([\w./-]+?)(?:\.\w+)?["']""")


class Neighbours:
    """Documents by package and language."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._groups: dict[tuple[str, str], list[Document]] = {}
        for document in documents:
            self._groups.setdefault((document.package, document.language), []).append(document)

    def chunks(self, document: Document, near: str, bytes_max: int, dice: random.Random) -> list[str]:
        """Those of some random pieces of other files that share most identifiers with the text near the cursor."""
        group = self._groups[document.package, document.language]
        if len(group) < 2:
            return []
        count = dice.choice((1, 1, 2, 2, 3, 4))
        each = bytes_max // count
        wanted = set(IDENTIFIER.findall(near))
        scored: list[tuple[float, str, str]] = []
        for other in self._candidates(document, group, dice):
            piece = _piece(other.text, each - len(other.path) - 10, dice)
            if piece:
                scored.append((_overlap(wanted, piece), other.path, f"// Path: {other.path}\n{piece.rstrip()}\n"))
        scored.sort(reverse=True)
        return [text for _, _, text in sorted(scored[:count], key=lambda row: (row[1], row[2]))]

    def _candidates(self, document: Document, group: list[Document], dice: random.Random) -> list[Document]:
        names = {path.rsplit("/", 1)[-1] for path in IMPORTED.findall(document.text)}
        imported = [other for other in dice.sample(group, min(len(group), 60)) if _stem(other.path) in names]
        some = imported[:4] + dice.sample(group, min(len(group), CANDIDATES))
        return [other for other in some if other.path != document.path]


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].split(".", 1)[0]


def _overlap(wanted: set[str], piece: str) -> float:
    found = set(IDENTIFIER.findall(piece))
    return len(wanted & found) / (1 + len(found)) ** 0.5


def _piece(text: str, bytes_max: int, dice: random.Random) -> str:
    """Whole lines, from a line start; none where even one does not fit."""
    if bytes_max < 40:
        return ""
    begin = text.rfind("\n", 0, dice.randrange(len(text))) + 1
    end = text.rfind("\n", begin, begin + bytes_max)
    return text[begin:end] if end > begin else ""
