"""Middles: a window of a document in, (prefix, middle, suffix) out, as a cursor would stand in it. Most middles are the rest of
a line and end there, so that the model learns to stop; many begin inside a word or end before what an editor has closed."""

from __future__ import annotations

import random
import re

Cut = tuple[str, str, str]
CLOSED = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'", "`": "`"}
WORD = re.compile(r"\w")


def cut(text: str, dice: random.Random) -> Cut:
    kind = dice.random()
    at = _cursor(text, dice)
    if kind < 0.62:
        return _rest_of_line(text, at, 0)
    if kind < 0.74:
        return _rest_of_line(text, at, dice.randint(1, 3))
    if kind < 0.86:
        return _inside_brackets(text, at, dice)
    if kind < 0.94:
        return _whole_lines(text, at, dice)
    return _at(text, at, min(len(text), at + dice.randint(1, 120)))


def _cursor(text: str, dice: random.Random) -> int:
    """Where there is something left to write in the line; a third inside words, a third after them, a third anywhere."""
    for _ in range(8):
        at = dice.randrange(1, len(text))
        inside = bool(WORD.match(text[at - 1])) and bool(WORD.match(text[at]))
        wanted = dice.random()
        if (wanted < 0.33 and not inside) or (0.33 <= wanted < 0.66 and inside):
            continue
        if text[at : _line_end(text, at)].strip():
            break
    return at


def _rest_of_line(text: str, at: int, more: int) -> Cut:
    end = _line_end(text, at)
    for _ in range(more):
        end = _line_end(text, min(len(text), end + 1))
    return _at(text, at, end)


def _inside_brackets(text: str, at: int, dice: random.Random) -> Cut:
    """From just after an opening bracket or quote of the cursor's line to just before the one that closes it."""
    start, end = text.rfind("\n", 0, at) + 1, _line_end(text, at)
    opened = [i for i in range(start, end) if text[i] in CLOSED]
    dice.shuffle(opened)
    for i in opened:
        close = _closing(text, i, end)
        if close > i + 1:
            begin = i + 1 if dice.random() < 0.6 else dice.randrange(i + 1, close)
            return _at(text, begin, close)
    return _rest_of_line(text, at, 0)


def _closing(text: str, opened: int, end: int) -> int:
    opening, closing, depth = text[opened], CLOSED[text[opened]], 0
    for i in range(opened + 1, end):
        if text[i] == closing and depth == 0:
            return i
        depth += (text[i] == opening) - (text[i] == closing)
    return -1


def _whole_lines(text: str, at: int, dice: random.Random) -> Cut:
    start = text.rfind("\n", 0, at) + 1
    indent = len(text[start:]) - len(text[start:].lstrip(" \t"))
    begin = min(start + (indent if dice.random() < 0.7 else 0), len(text) - 1)
    end = _line_end(text, begin)
    for _ in range(dice.choice((0, 0, 0, 1, 2, 3))):
        end = _line_end(text, min(len(text), end + 1))
    return _at(text, begin, end)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _at(text: str, begin: int, end: int) -> Cut:
    end = max(begin, end)
    return text[:begin], text[begin:end], text[end:]
