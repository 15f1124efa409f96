"""The materials of every PDF: the interface's own fonts and colours, text made safe and shaped, QR codes, page furniture.

User text never reaches reportlab's mini-markup unescaped (an `<img>` in it would embed a local file); Arabic and
Javanese are shaped and set in fonts of their own, emoji have a font too; of a character that no font of ours has the code is
printed, and `unprintable` names it to its writer before.
"""

from __future__ import annotations

import io
import itertools
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import arabic_reshaper
from bidi.algorithm import get_display
from flask import current_app
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER as TA_CENTER
from reportlab.lib.enums import TA_RIGHT as TA_RIGHT
from reportlab.lib.pagesizes import A4 as A4
from reportlab.lib.pagesizes import landscape as landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm as mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont, shapeStr
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph

from . import qr
from .forms import clean

SANS, SANS_BOLD, SERIF, SERIF_BOLD, SERIF_ITALIC = "Sans", "Sans-Bold", "Serif", "Serif-Bold", "Serif-Italic"
ARABIC, JAVANESE, EMOJI = "Arabic", "Javanese", "Emoji"
FILES = {
    SANS: "SourceSans3-Regular.ttf",
    SANS_BOLD: "SourceSans3-SemiBold.ttf",
    SERIF: "SourceSerif4-Regular.ttf",
    SERIF_BOLD: "SourceSerif4-SemiBold.ttf",
    SERIF_ITALIC: "SourceSerif4-Italic.ttf",
    ARABIC: "NotoSansArabic-Regular.ttf",
    JAVANESE: "NotoSansJavanese-Regular.ttf",
    EMOJI: "NotoEmoji-Regular.ttf",
}

INK, MUTED, HAIR, ACCENT, PAPER = HexColor("#1d2430"), HexColor("#5b6473"), HexColor("#d8d2c4"), HexColor("#1f5f6b"), HexColor("#faf7f0")
SUCCESS, WARNING, DANGER = HexColor("#2c6b3f"), HexColor("#8a5a00"), HexColor("#9b2c2c")
# One colour per dimension, the same as in assets/css/tokens.css; repeated after six.
DIMENSIONS = [HexColor(code) for code in ("#17478a", "#9a6205", "#1f7263", "#8246b3", "#84183c", "#3f3d0c")]

rl_config.useA85 = 0  # streams as bytes: a fifth smaller, and made in less time
_DARK = re.compile(rb"\x01+")


@cache
def fonts() -> None:
    """Register the fonts, once per process."""
    folder = Path(current_app.static_folder or "") / "dist" / "fonts" / "pdf"
    for name, file in FILES.items():
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    pdfmetrics.registerFontFamily(SERIF, normal=SERIF, bold=SERIF_BOLD, italic=SERIF_ITALIC, boldItalic=SERIF_BOLD)
    pdfmetrics.registerFontFamily(SANS, normal=SANS, bold=SANS_BOLD, italic=SANS, boldItalic=SANS_BOLD)


def dimension_colour(number: int) -> Any:
    """The colour of a dimension, by its number (from 1)."""
    return DIMENSIONS[(number - 1) % len(DIMENSIONS)]


def _is_arabic(c: str) -> bool:
    return "\u0600" <= c <= "\u06ff" or "\u0750" <= c <= "\u077f" or "\ufb50" <= c <= "\ufdff" or "\ufe70" <= c <= "\ufeff"


@cache
def _glyphs(font: str) -> dict[int, int]:
    return pdfmetrics.getFont(font).face.charToGlyph  # type: ignore[attr-defined, no-any-return]


def _font_of(c: str, font: str) -> str:
    """The font that has to draw the character where `font` is asked for; "" if none of ours has it."""
    code = ord(c)
    if code in _glyphs(font) or c in "\n\t":
        return font
    if code & 0xFFFE == 0xFFFE:  # no character at all, though a font may have a glyph there
        return ""
    for other in (ARABIC, JAVANESE, EMOJI, SANS):
        if code in _glyphs(other):
            return other
    return ""


# What changes the look of the emoji before it: skin tones, variation selectors, the frame of a keycap, tags of a flag.
_MODIFIERS = frozenset({*range(0x1F3FB, 0x1F400), *range(0xFE00, 0xFE10), 0x20E3, *range(0xE0020, 0xE0080)})
_FLAG_LETTERS = {0x1F1E6 + n: chr(ord("A") + n) for n in range(26)}  # a flag is two of them: its country's code
_ALIKE = {0x2010: "-", 0x2011: "-", 0x2012: "–", 0x2015: "—", 0x202F: "\u00a0", 0x2007: "\u00a0"}
_AS_SHOWN = _FLAG_LETTERS | _ALIKE


def _drawable(words: str, font: str) -> str:
    """The text with what fonts lack put into what they have: flags as letters, emoji without their modifiers."""
    text = words.translate(_AS_SHOWN)
    return "".join(c for c in text if ord(c) not in _MODIFIERS and (unicodedata.category(c) != "Cf" or c in "\n\t"))


CODES_TOLD = 3  # of characters in a row that no font has; more are counted


def _codes(unknown: str) -> str:
    """What stands in the place of characters that no font has: [U+4E2D U+6587], or [U+4E2D U+6587 U+5B57 +9]."""
    told = " ".join(f"U+{ord(c):04X}" for c in unknown[:CODES_TOLD])
    more = f" +{len(unknown) - CODES_TOLD}" if len(unknown) > CODES_TOLD else ""
    return f"[{told}{more}]"


def _known(words: str, font: str) -> str:
    """The text with codes in the place of characters that no font has."""
    groups = itertools.groupby(_drawable(words, font), key=lambda c: bool(_font_of(c, font)))
    return "".join("".join(part) if is_known else _codes("".join(part)) for is_known, part in groups)


_PLAIN = re.compile("[\n\t\x20-\x7e\xa0-\u017e\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026]*")


def unprintable(words: str) -> list[str]:
    """The characters of a text that no font of our documents has, each once, in their order. They are printed as codes."""
    if _PLAIN.fullmatch(words):  # nearly always: no font has to be opened
        return []
    fonts()
    return list(dict.fromkeys(c for c in _drawable(clean(words), SANS) if not _font_of(c, SANS)))


def _javanese(words: str) -> str:
    """The text as glyphs in the order they are drawn: vowels before their consonant, stacked consonants below it."""
    return "\n".join(" ".join(str(shapeStr(word, JAVANESE, 10)) for word in line.split(" ")) for line in words.split("\n"))


def _in_display_order(line: str) -> str:
    """One line with its Arabic joined, and its runs in the order in which they are drawn from left to right."""
    # the bidi algorithm stops at an emoji that is newer than Python's tables: it sees a private character instead
    newer = {ord(c): 0xF0000 + n for n, c in enumerate(dict.fromkeys(line)) if not unicodedata.bidirectional(c)}
    ordered = str(get_display(arabic_reshaper.reshape(line.translate(newer))))
    return ordered.translate({stand_in: code for code, stand_in in newer.items()})


def runs(words: str, font: str = SANS) -> list[tuple[str, str]]:
    """The text in display order as (font, words): Arabic and Javanese shaped, in their own fonts; the rest in `font`."""
    fonts()
    if words.isascii() and words.isprintable():
        return [(font, words.strip())]
    text = _known(clean(words), font)
    if not any(_font_of(c, font) != font for c in text):
        return [(font, text)]
    shown = "\n".join(map(_in_display_order, text.split("\n"))) if any(map(_is_arabic, text)) else text
    found: list[tuple[str, str]] = []
    for c in shown:
        kind = _font_of(c, font)
        if not kind:  # a joined form that its font lacks
            c, kind = _codes(c), font
        if found and (found[-1][0] == kind or (c == " " and found[-1][0] != EMOJI)):
            found[-1] = (found[-1][0], found[-1][1] + c)
        else:
            found.append((kind, c))
    return [(kind, _javanese(part) if kind == JAVANESE else part) for kind, part in found]


def markup(words: Any, font: str = SANS) -> str:
    """Text as mini-markup that means only itself; line breaks are kept."""
    parts = []
    for kind, part in runs(str(words if words is not None else ""), font):
        safe = escape(part).replace("\n", "<br/>")
        parts.append(safe if kind == font else f'<font name="{kind}">{safe}</font>')
    return "".join(parts)


def style(font: str = SANS, size: float = 10, leading: float | None = None, **more: Any) -> ParagraphStyle:
    """A paragraph style in our own fonts; `leading` is 1.4 of the size unless given. It is shared, so nobody changes it."""
    fonts()
    more.setdefault("textColor", INK)
    return _style(font, size, leading or size * 1.4, tuple(sorted(more.items())))


@lru_cache(512)
def _style(font: str, size: float, leading: float, more: tuple[tuple[str, Any], ...]) -> ParagraphStyle:
    """One for all alike: a report of 5,000 comments has 40,000 cells, and each style takes two kilobytes."""
    return ParagraphStyle(f"{font}{size}", fontName=font, fontSize=size, leading=leading, splitLongWords=1, **dict(more))


class Text(Paragraph):
    """A paragraph that breaks its lines once for each width: a table asks three times, as it is measured, split and drawn."""

    _broken_for: float | None = None

    def wrap(self, availWidth: float, availHeight: float) -> tuple[float, float]:  # noqa: N803  reportlab's names
        if availWidth == self._broken_for and hasattr(self, "blPara"):  # a paragraph that was tried and not split forgets its lines
            return self.width, self.height
        self._broken_for = None
        size: tuple[float, float] = super().wrap(availWidth, availHeight)
        if size[0] == availWidth:  # it fits
            self._broken_for = availWidth
        return size


def paragraph(words: Any, font: str = SANS, size: float = 10, **more: Any) -> Paragraph:
    """A paragraph of plain text, whatever it contains."""
    look = style(font, size, **more)
    return Text(markup(words, font), look)


def draw_line(
    canvas: Any, x: float, y: float, words: str, font: str = SANS, size: float = 10, most: float = 1e9, align: str = "left"
) -> float:
    """One line of text at (x, y), made smaller (down to 60 %) and then cut to fit `most` points; returns its width."""
    parts = runs(words, font)
    width = sum(pdfmetrics.stringWidth(part, kind, size) for kind, part in parts)
    if width > most:
        size = max(size * most / width, size * 0.6)
        while parts and sum(pdfmetrics.stringWidth(part, kind, size) for kind, part in parts) > most:
            kind, part = parts[-1]
            parts[-1:] = [(kind, part[:-2].rstrip() + "…")] if len(part) > 2 else []
        width = sum(pdfmetrics.stringWidth(part, kind, size) for kind, part in parts)
    at = x - width if align == "right" else x - width / 2 if align == "center" else x
    for kind, part in parts:
        canvas.setFont(kind, size)
        canvas.drawString(at, y, part)
        at += pdfmetrics.stringWidth(part, kind, size)
    return float(width)


def draw_qr(canvas: Any, words: str, x: float, y: float, size: float) -> None:
    """A QR of `size` points, quiet zone included, its lower left corner at (x, y), black on white."""
    cells = qr.matrix(words)
    module = size / (len(cells) + 2 * qr.QUIET)
    canvas.saveState()
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(x, y, size, size, stroke=0, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    draw_modules(canvas, cells, x + qr.QUIET * module, y + qr.QUIET * module, module)
    canvas.restoreState()


def draw_modules(canvas: Any, cells: Sequence[bytes], x: float, y: float, module: float) -> None:
    """The dark modules alone, each `module` points wide, in the colour that is set: one rectangle for each run in a row."""
    canvas.saveState()
    canvas.translate(x, y)
    canvas.scale(module, module)
    last = len(cells) - 1
    code = [f"{run.start()} {last - row} {run.end() - run.start()} 1 re" for row, line in enumerate(cells) for run in _DARK.finditer(line)]
    canvas.drawPath(PDFPathObject(code), stroke=0, fill=1)
    canvas.restoreState()


class QR(Flowable):
    """A QR in the flow of a page."""

    def __init__(self, words: str, size: float = 28 * mm) -> None:
        super().__init__()
        self.words, self.width, self.height = words, size, size

    def draw(self) -> None:
        draw_qr(self.canv, self.words, 0, 0, self.width)


def draw_thread(canvas: Any, x: float, y: float, width: float, knots: Sequence[tuple[str, bool]]) -> None:
    """The thread: a line with one knot per (label, is done), the labels under it."""
    fonts()
    step = width / max(1, len(knots) - 1)
    canvas.saveState()
    canvas.setStrokeColor(ACCENT)
    canvas.setLineWidth(1.2)
    canvas.line(x, y, x + width, y)
    for number, (label, done) in enumerate(knots):
        at = x + number * step
        canvas.setFillColor(ACCENT if done else HexColor("#ffffff"))
        canvas.circle(at, y, 4, stroke=1, fill=1)
        canvas.setFillColor(INK)
        align = "left" if number == 0 else "right" if number == len(knots) - 1 else "center"
        draw_line(canvas, at - 4 if number == 0 else at + 4 if align == "right" else at, y - 15, label, SANS, 8, align=align)
    canvas.restoreState()


def build(
    story: list[Flowable],
    title: str,
    furniture: Callable[[Any, Any], None] | None = None,
    pagesize: tuple[float, float] = A4,
    margins: tuple[float, float, float, float] = (22 * mm, 22 * mm, 22 * mm, 24 * mm),
    **info: str,
) -> bytes:
    """A PDF of the flowables; `furniture(canvas, document)` draws each page's letterhead and foot.

    `margins` are left, right, top and bottom, in points. After `NextPageTemplate("wide")` pages lie across.
    """
    fonts()
    buffer = io.BytesIO()
    left, right, top, bottom = margins
    document = BaseDocTemplate(
        buffer, pagesize=pagesize, leftMargin=left, rightMargin=right, topMargin=top, bottomMargin=bottom,
        title=clean(title), author=clean(info.get("author", "Consult")), subject=clean(info.get("subject", "")),
        lang=info.get("lang", "en"),
    )  # fmt: skip
    for name, (width, height) in (("page", pagesize), ("wide", landscape(pagesize))):
        frame = Frame(left, bottom, width - left - right, height - top - bottom, 0, 0, 0, 0)
        document.addPageTemplates(PageTemplate(name, [frame], onPage=furniture or (lambda *_page: None), pagesize=(width, height)))
    document.build(story)
    return buffer.getvalue()
