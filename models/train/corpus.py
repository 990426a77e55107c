"""Corpus: installed packages in, two files of documents out (train and validation, split by package), and the list of what
was learned from. Every document is cleaned, and none is there twice, whole or nearly."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from .clean import clean, wanted_path
from .licences import Package
from .settings import DataSettings

LANGUAGES = {
    ".ts": "ts", ".tsx": "ts", ".mts": "ts", ".js": "js", ".mjs": "js", ".jsx": "js", ".py": "py", ".go": "go",
}  # fmt: skip
# TypeScript first: where a package brings its sources and what they compile to, the sources stay.
ORDER = ("ts", "js", "py", "go")
NEAR_DUPLICATE = 0.5


@dataclass(frozen=True)
class Document:
    language: str
    package: str
    path: str
    text: str


@dataclass(frozen=True)
class Root:
    """A package's folder; `inner` folders (nested packages) are roots of their own."""

    package: Package
    folder: Path


def build(roots: list[Root], held_out: set[str], settings: DataSettings, out: Path) -> dict[str, int]:
    """Writes train.jsonl, validation.jsonl and packages.tsv; returns bytes by language."""
    allowed = [root for root in roots if root.package.permitted and root.package.name not in held_out]
    documents = list(_documents(allowed, settings))
    packages = {f"{root.package.ecosystem}:{root.package.name}": root.package for root in allowed}
    random.Random(settings.seed).shuffle(documents)
    validation = {key for key in packages if _share(key) < settings.validation_share}
    out.mkdir(parents=True, exist_ok=True)
    for split, wanted in (("train", False), ("validation", True)):
        with open(out / f"{split}.jsonl.new", "w") as file:
            for document in documents:
                if (document.package in validation) == wanted:
                    file.write(json.dumps(asdict(document)) + "\n")
    _list(documents, packages, validation, out / "packages.tsv")
    sizes: dict[str, int] = {}
    for document in documents:
        sizes[document.language] = sizes.get(document.language, 0) + len(document.text)
    for split in ("validation", "train"):  # last: its presence says that the step is done
        os.replace(out / f"{split}.jsonl.new", out / f"{split}.jsonl")
    return sizes


def load(path: Path) -> list[Document]:
    with open(path) as file:
        return [Document(**json.loads(line)) for line in file]


def _documents(roots: list[Root], settings: DataSettings) -> Iterator[Document]:
    files: dict[str, list[tuple[Path, Root]]] = {language: [] for language in ORDER}
    for root in roots:
        for path in _files(root.folder):
            files[LANGUAGES[path.suffix]].append((path, root))
    seen = Seen()
    generator = random.Random(settings.seed)
    by_package: dict[str, int] = {}
    for language in ORDER:
        left = settings.language_bytes.get(language, 0)
        generator.shuffle(files[language])
        for path, root in files[language]:
            package = f"{root.package.ecosystem}:{root.package.name}"
            if left <= 0:
                break
            if by_package.get(package, 0) > settings.package_bytes:
                continue
            text = _read(path)
            if text is None or seen.before(text):
                continue
            left -= len(text)
            by_package[package] = by_package.get(package, 0) + len(text)
            yield Document(language, package, path.relative_to(root.folder).as_posix(), text)


def _files(folder: Path) -> Iterator[Path]:
    for directory, names, files in os.walk(folder):
        names[:] = sorted(name for name in names if name not in ("node_modules", "site-packages", "__pycache__"))
        for name in sorted(files):
            path = Path(directory) / name
            if path.suffix in LANGUAGES and wanted_path("/" + path.relative_to(folder).as_posix()):
                yield path


def _read(path: Path) -> str | None:
    try:
        return clean(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


class Seen:
    """Remembers documents by their text without white space, and by their lines."""

    def __init__(self) -> None:
        self._whole: set[bytes] = set()
        self._lines: set[int] = set()

    def before(self, text: str) -> bool:
        digest = hashlib.md5(re.sub(r"\s+", "", text).encode()).digest()
        lines = [hash(line) for line in map(str.strip, text.split("\n")) if len(line) > 14]
        if digest in self._whole or not lines:
            return True
        known = sum(line in self._lines for line in lines) / len(lines)
        self._whole.add(digest)
        self._lines.update(lines)
        return known > NEAR_DUPLICATE


def _share(key: str) -> float:
    """A package's place in [0, 1), the same on every machine."""
    return int(hashlib.sha256(key.encode()).hexdigest()[:8], 16) / 2**32


def _list(documents: list[Document], packages: dict[str, Package], validation: set[str], path: Path) -> None:
    sizes: dict[str, list[int]] = {}
    for document in documents:
        size = sizes.setdefault(document.package, [0, 0])
        size[0] += 1
        size[1] += len(document.text)
    with open(path, "w") as file:
        file.write("name\tversion\tlicence\tecosystem\tsplit\tfiles\tbytes\n")
        for key in sorted(sizes):
            package, (files, total) = packages[key], sizes[key]
            split = "validation" if key in validation else "train"
            row = (package.name, package.version, package.licence, package.ecosystem, split, str(files), str(total))
            file.write("\t".join(row) + "\n")
