"""Words made to fit a box: as large as they can be, wrapped, never outside it and never gone without a sign.

Widths grow with the size of the letters, so each word is measured once; what was fitted is kept for the next print.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reportlab.pdfbase.pdfmetrics import stringWidth

from consult_app import pdf
from consult_app.forms import one_line

LEADING, TALL = 1.18, 1.75  # the second for Javanese, whose letters stack
STEP = 0.93


@dataclass(frozen=True)
class Line:
    """Pieces of one line in the order they are drawn, each with its font and its width at size 1."""

    parts: tuple[tuple[str, str, float], ...]

    @property
    def width(self) -> float:
        """At size 1."""
        return sum(width for _font, _words, width in self.parts)


@dataclass(frozen=True)
class Fitted:
    size: float
    leading: float
    lines: tuple[Line, ...]

    @property
    def height(self) -> float:
        return len(self.lines) * self.leading

    @property
    def width(self) -> float:
        return max((line.width * self.size for line in self.lines), default=0.0)


def _line(words: str, font: str) -> Line:
    return Line(tuple((kind, part, stringWidth(part, kind, 1)) for kind, part in pdf.runs(words, font)))


def _wrapped(words: Sequence[str], widths: Sequence[float], space: float, most: float) -> list[str]:
    """Lines of at most `most` (at size 1), as full as they can be; a word that is wider stands alone."""
    lines: list[str] = []
    taken = 0.0
    for word, width in zip(words, widths, strict=True):
        if lines and taken + space + width <= most:
            lines[-1] += f" {word}"
            taken += space + width
        else:
            lines.append(word)
            taken = width
    return lines


def _pieces(word: str, font: str, most: float) -> list[str]:
    """A word too wide for any line, cut where it has to be."""
    pieces = [""]
    for c in word:
        if pieces[-1] and _line(pieces[-1] + c, font).width > most:
            pieces.append("")
        pieces[-1] += c
    return pieces


def _cut(lines: list[str], rows: int, font: str, most: float) -> list[str]:
    """The first lines, with an ellipsis where words are left out."""
    if len(lines) <= rows:
        return lines
    last = lines[rows - 1]
    while last and _line(f"{last}…", font).width > most:
        last = last[:-1].rstrip()
    return [*lines[: rows - 1], f"{last}…"]


@lru_cache(maxsize=20_000)
def fit(words: str, font: str, width: float, height: float, most: float, least: float) -> Fitted:
    """The words in a box of that size: at size `most` if they go in, else smaller and on more lines, down to `least`.

    Only what does not go in at the least size is cut, by an ellipsis.
    """
    pdf.fonts()
    tokens = one_line(words).split()
    widths = [_line(token, font).width for token in tokens]
    space = stringWidth(" ", font, 1)
    tall = TALL if any(kind == pdf.JAVANESE for kind, _part in pdf.runs(words, font)) else LEADING
    most, least = min(most, height / tall), min(least, height / tall)
    size = most
    while True:
        rows = max(1, int(height / (size * tall)))
        if max(widths, default=0) * size <= width or size == least:
            if size == least:
                tokens = [piece for token in tokens for piece in _pieces(token, font, width / size)]
                widths = [_line(token, font).width for token in tokens]
            lines = _wrapped(tokens, widths, space, width / size)
            if len(lines) <= rows or size == least:
                break
        size = max(least, size * STEP)
    shown = [_line(line, font) for line in _cut(lines, rows, font, width / size)]
    widest = max((line.width for line in shown), default=0)  # a line of two scripts can be wider than its words
    size = min(size, width / widest) if widest else size
    return Fitted(size, size * tall, tuple(shown))


def draw(canvas: Any, fitted: Fitted, x: float, top: float, width: float, align: str = "left") -> float:
    """Draw what was fitted, its first line's top at `top`; returns where it ends below."""
    for number, line in enumerate(fitted.lines):
        spare = width - line.width * fitted.size
        at = x + (spare / 2 if align == "center" else spare if align == "right" else 0)
        baseline = top - fitted.leading * (number + 1) + (fitted.leading - fitted.size) * 0.5 + fitted.size * 0.22
        for kind, part, wide in line.parts:
            canvas.setFont(kind, fitted.size)
            canvas.drawString(at, baseline, part)
            at += wide * fitted.size
    return top - fitted.height
