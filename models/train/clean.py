"""Clean: the text of one source file in, the text to learn from out; None where it is generated, minified, huge or not code."""

from __future__ import annotations

import re

SMALLEST, LARGEST = 600, 80_000
LONGEST_LINE = 400

UNWANTED_PATH = re.compile(
    r"\.d\.[cm]?ts$|\.min\.|/testdata/|/locales?/|/i18n/|zlanguage|_pb2|/unicode/tables|/gen/|generated|"
    r"/dist/.*(umd|cjs|bundle)|/_?cjs/|/umd/|/chains/definitions|syscall/z|/_?esm5/|\.bundle\.|/vendor/|/compiled/"
)
GENERATED = re.compile(r"DO NOT EDIT|@generated|auto-?generated|sourceMappingURL|File generated from", re.I)
HEADER = re.compile(r"\A(?:\s*/\*.*?\*/\s*|(?:\s*//[^\n]*\n)+|(?:#[^\n]*\n)+)", re.S)
LEGAL = re.compile(r"icens|opyright")
SOURCE_MAP = re.compile(r"\n//# sourceMappingURL=.*\s*\Z")


def wanted_path(path: str) -> bool:
    return UNWANTED_PATH.search(path) is None


def clean(text: str) -> str | None:
    text = SOURCE_MAP.sub("\n", text.replace("\r\n", "\n"))
    if not SMALLEST < len(text) < LARGEST or GENERATED.search(text[:1500]):
        return None
    if LEGAL.search(text[:1200]):
        text = HEADER.sub("", text, count=1)
    lines = text.split("\n")
    mean = len(text) / len(lines)
    if max(map(len, lines)) > LONGEST_LINE or not 8 <= mean <= 70:
        return None
    if sum(character > "\x7f" for character in text) > 0.01 * len(text):
        return None
    return text
