"""Bars of the report. Each row prints its own numbers, so that nothing is told by colour alone; a long chart breaks over pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.platypus import Flowable, KeepTogether

from consult_app import pdf
from consult_app.pdf import mm

LABEL, NUMBER = 62 * mm, 14 * mm  # the columns left and right of the bars
BAR = 3.6 * mm
SHORT = 20  # rows


class BarRow(Flowable):
    """A label, a bar of parts as long as `most` allows, and the total; None: the numbers must not be told."""

    def __init__(self, label: str, parts: Sequence[int] | None, colours: Sequence[Any], most: int) -> None:
        super().__init__()
        self.label, self.parts, self.colours, self.most, self.height = label, parts, colours, max(most, 1), BAR + 2.2 * mm

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, self.height

    def draw(self) -> None:
        base = self.height - BAR
        pdf.draw_line(self.canv, 0, base + 1.1 * mm, self.label, pdf.SANS, 8.5, LABEL - 3 * mm)
        if self.parts is None:
            pdf.draw_line(self.canv, LABEL, base + 1.1 * mm, "–", pdf.SANS, 8.5)
            return
        at, scale = LABEL, (self.width - LABEL - NUMBER) / self.most
        for value, colour in zip(self.parts, self.colours, strict=True):
            self.canv.setFillColor(colour)
            self.canv.rect(at, base, value * scale, BAR, stroke=0, fill=1)
            if len(self.parts) > 1 and value * scale > 5 * mm:
                self.canv.setFillColorRGB(1, 1, 1)
                pdf.draw_line(self.canv, at + value * scale / 2, base + 1.1 * mm, str(value), pdf.SANS_BOLD, 7.5, align="center")
            at += value * scale
        self.canv.setFillColor(pdf.INK)
        pdf.draw_line(self.canv, at + 2 * mm, base + 1.1 * mm, str(sum(self.parts)), pdf.SANS_BOLD, 8.5)


class Legend(Flowable):
    """What the parts of a bar stand for, in their order."""

    def __init__(self, words: Sequence[str], colours: Sequence[Any]) -> None:
        super().__init__()
        self.words, self.colours, self.width, self.height = words, colours, 0, 6 * mm
        self.keepWithNext = 1

    def draw(self) -> None:
        at = LABEL
        for words, colour in zip(self.words, self.colours, strict=True):
            self.canv.setFillColor(colour)
            self.canv.rect(at, 2 * mm, 2.4 * mm, 2.4 * mm, stroke=0, fill=1)
            self.canv.setFillColor(pdf.INK)
            at += 3.6 * mm + pdf.draw_line(self.canv, at + 3.6 * mm, 2.1 * mm, words, pdf.SANS, 8) + 4 * mm


def bars(rows: Sequence[tuple[str, Sequence[int] | None]], colours: Sequence[Any], legend: Sequence[str] = ()) -> list[Flowable]:
    """A chart of bars that share one scale, under its legend; a short one stays on one page."""
    most = max((sum(parts) for _label, parts in rows if parts is not None), default=0)
    made: list[Flowable] = [Legend(legend, colours)] if legend else []
    made += [BarRow(label, parts, colours, most) for label, parts in rows]
    return [KeepTogether(made)] if len(rows) <= SHORT else made
