"""The look of the report: headings that are bookmarks, texts in the serif, tables that split, page furniture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.platypus import Flowable, LongTable, Paragraph, Spacer, TableStyle

from consult_app import pdf
from consult_app.i18n import gettext
from consult_app.pdf import mm, paragraph

GAP = 3 * mm
FIGURE = 9  # the level of a figure's title: it stands in the list of figures, not among the bookmarks
MOST = 6000  # characters of one paragraph: a longer text goes on in the next, so that pages can break


@dataclass
class Outline:
    """The headings of the report, and on which page each stands: known once it is drawn (PageNumbers)."""

    entries: list[tuple[str, str, int]] = field(default_factory=list)  # key, words, level
    figures: list[tuple[str, str]] = field(default_factory=list)  # key, words
    prefix: str = ""  # of the keys of a second language
    pages: dict[str, int] = field(default_factory=dict)
    total: int = 0

    @property
    def keys(self) -> list[str]:
        return [key for key, *_rest in self.entries] + [key for key, _words in self.figures]


class PageNumber(Flowable):
    """The page of a heading, at the right edge; a place in the file that `PageNumbers` fills at the end."""

    def __init__(self, key: str, size: float) -> None:
        super().__init__()
        self.key, self.height = key, size * 1.4

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, self.height

    def draw(self) -> None:
        self.canv.saveState()
        self.canv.translate(self.width, self.height * 0.3)
        self.canv.doForm(f"page-{self.key}")
        self.canv.restoreState()


class PageNumbers(Flowable):
    """The last thing of a report: now every page is known, the contents and each "x / y" are filled in one pass."""

    def __init__(self, outline: Outline) -> None:
        super().__init__()
        self.outline, self.width, self.height = outline, 0, 0

    def draw(self) -> None:
        for key, words, align in (
            *((f"page-{key}", str(self.outline.pages.get(key, "")), "right") for key in self.outline.keys),
            ("total", str(self.outline.total), "left"),
        ):
            self.canv.beginForm(key, -60, -10, 60, 20)
            self.canv.setFillColor(pdf.INK if key != "total" else pdf.MUTED)
            pdf.draw_line(self.canv, 0, 0, words, pdf.SANS, 8 if key == "total" else 10, align=align)
            self.canv.endForm()


class Heading(Paragraph):
    """A heading that is a bookmark of the file and knows its page."""

    mark: tuple[str, str, int, Outline] | None = None

    def draw(self) -> None:
        if self.mark is not None:
            key, words, level, outline = self.mark
            outline.pages[key] = self.canv.getPageNumber()
            self.canv.bookmarkPage(key)
            if level < FIGURE:
                self.canv.addOutlineEntry(words, key, level, closed=False)
        super().draw()


def heading(words: str, key: str, outline: Outline, level: int = 0, colour: Any = pdf.INK) -> Heading:
    """A heading of level 0 or 1, kept with what follows."""
    size = (20, 13)[level]
    font, before = (pdf.SERIF_BOLD, 0) if level == 0 else (pdf.SANS_BOLD, 14)
    look = pdf.style(font, size, size * 1.2, spaceBefore=before, spaceAfter=6, keepWithNext=1, textColor=colour)
    made = Heading(pdf.markup(words, look.fontName), look)
    made.mark = (f"{outline.prefix}{key}", " ".join(words.split()), level, outline)
    outline.entries.append((f"{outline.prefix}{key}", words, level))
    return made


def figure_title(words: str, key: str, outline: Outline) -> Heading:
    """The title of a chart, kept with it and named in the list of figures."""
    number = len(outline.figures) + 1
    title = gettext("Figure %(number)s. %(title)s", number=number, title=words)
    made = Heading(pdf.markup(title, pdf.SANS_BOLD), pdf.style(pdf.SANS_BOLD, 10, spaceBefore=12, spaceAfter=4, keepWithNext=1))
    made.mark = (f"{outline.prefix}{key}", title, FIGURE, outline)
    outline.figures.append((f"{outline.prefix}{key}", title))
    return made


def small_heading(words: str, colour: Any = pdf.MUTED) -> Paragraph:
    return paragraph(words, pdf.SANS_BOLD, 9.5, textColor=colour, spaceBefore=8, spaceAfter=2, keepWithNext=1)


def _pieces(words: str) -> list[str]:
    """A very long text in pieces that each fit a few pages, cut between words where there are any."""
    found = []
    rest = words
    while len(rest) > MOST:
        cut = rest.rfind(" ", MOST // 2, MOST)
        cut = cut if cut > 0 else MOST
        found.append(rest[:cut])
        rest = rest[cut:].lstrip()
    return [*found, rest]


def lines_of(words: str) -> list[str]:
    """The lines of a text that have words."""
    return [line.strip() for line in words.split("\n") if line.strip()]


def prose(words: str, font: str = pdf.SERIF, size: float = 10.5, **more: Any) -> list[Flowable]:
    """A text of the report, a paragraph per line."""
    more.setdefault("spaceAfter", 5)
    return [paragraph(piece, font, size, **more) for line in lines_of(words) for piece in _pieces(line)]


def listing(words: str, numbered: bool = False) -> list[Flowable]:
    """A text of which each line is an item of a list."""
    font, size = (pdf.SANS_BOLD, 9.5) if numbered else (pdf.SERIF, 10.5)
    marks: dict[str, Any] = {"bulletIndent": 1 * mm, "bulletFontName": font, "bulletFontSize": size}
    look = pdf.style(pdf.SERIF, 10.5, spaceAfter=4, leftIndent=7 * mm, **marks)
    items = enumerate(lines_of(words), start=1)
    return [Paragraph(pdf.markup(line[:MOST], pdf.SERIF), look, bulletText=f"{n}." if numbered else "•") for n, line in items]


def grouped(digest: str) -> str:
    """A hash in groups of four, as a person compares it."""
    return " ".join(digest[n : n + 4] for n in range(0, len(digest), 4))


def cell(words: Any, size: float = 8, font: str = pdf.SANS, **more: Any) -> list[Flowable]:
    """The paragraphs of a table's cell; long ones split over pages."""
    text = str(words if words is not None else "")
    return [paragraph(piece, font, size, leading=size * 1.3, **more) for piece in _pieces(text)]


def grid(head: Sequence[str], rows: Sequence[list[Any]], widths: Sequence[float], bold_last: bool = False) -> LongTable:
    """A table with hairlines whose head is repeated on every page and whose rows may break."""
    look: list[Any] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.9, pdf.INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, pdf.HAIR),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
        ("TOPPADDING", (0, 0), (-1, -1), 3),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    if bold_last:
        look.append(("LINEABOVE", (0, -1), (-1, -1), 0.9, pdf.INK))
    titles = [cell(words, 7.5, pdf.SANS_BOLD) for words in head]
    table = LongTable([titles, *rows], colWidths=list(widths), repeatRows=1, splitInRow=1)
    table.setStyle(TableStyle(look))
    table.hAlign = "LEFT"
    return table


def gap(height: float = GAP) -> Spacer:
    return Spacer(1, height)


class Thread(Flowable):
    """The thread of seven knots, as wide as the page allows."""

    def __init__(self, knots: Sequence[tuple[str, bool]]) -> None:
        super().__init__()
        self.knots, self.height = knots, 12 * mm

    def wrap(self, width: float, _height: float) -> tuple[float, float]:
        self.width = width
        return width, self.height

    def draw(self) -> None:
        pdf.draw_thread(self.canv, 4, self.height - 5, self.width - 8, self.knots)


class Rule(Flowable):
    """A short bar in a colour, over a heading."""

    def __init__(self, colour: Color, width: float = 24 * mm) -> None:
        super().__init__()
        self.colour, self.width, self.height = colour, width, 2.2 * mm
        self.keepWithNext = 1

    def draw(self) -> None:
        self.canv.setFillColor(self.colour)
        self.canv.rect(0, 1.2 * mm, self.width, 1 * mm, stroke=0, fill=1)


WATERMARK = HexColor("#efe9dc")


def furniture(title: str, foot: str, outline: Outline, is_draft: bool) -> Any:
    """What stands on every page: the consultation at the head, the foot with "x / y", and on a draft the watermark."""
    watermark = gettext("DRAFT")

    def draw(canvas: Any, _document: Any) -> None:
        width, height = canvas._pagesize
        number = canvas.getPageNumber()
        outline.total = max(outline.total, number)
        canvas.saveState()
        if is_draft:
            canvas.saveState()
            canvas.translate(width / 2, height / 2)
            canvas.rotate(50 if height > width else 32)
            canvas.setFillColor(WATERMARK)
            pdf.draw_line(canvas, 0, -40, watermark, pdf.SANS_BOLD, 120, align="center")
            canvas.restoreState()
        canvas.setFillColor(pdf.MUTED)
        left, right = 22 * mm, width - 22 * mm
        if number > 1:
            pdf.draw_line(canvas, left, height - 14 * mm, title, pdf.SANS, 8, right - left)
        canvas.setStrokeColor(pdf.HAIR)
        canvas.setLineWidth(0.5)
        canvas.line(left, 17 * mm, right, 17 * mm)
        pdf.draw_line(canvas, left, 12.5 * mm, foot, pdf.SANS, 7.5, right - left - 24 * mm)
        pdf.draw_line(canvas, right - 6 * mm, 12.5 * mm, f"{number} /", pdf.SANS, 8, align="right")
        canvas.translate(right - 5 * mm, 12.5 * mm)
        canvas.doForm("total")
        canvas.restoreState()

    return draw
