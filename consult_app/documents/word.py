"""DOCX: text put in as text, in a look of a ministry's paper. No field codes, no links, no macros."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Mm, Pt, RGBColor

from consult_app.forms import clean
from consult_app.i18n import language

DOCX_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CENTER = WD_ALIGN_PARAGRAPH.CENTER
_NOT_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def safe(words: Any) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("", clean(str(words if words is not None else "")))


class Paper:
    """A document being written."""

    def __init__(self, title: str, heading: Sequence[str]) -> None:
        self.file = Document()
        part = self.file.sections[0]
        part.page_width, part.page_height = Mm(210), Mm(297)
        part.left_margin = part.right_margin = Mm(25)
        part.top_margin = part.bottom_margin = Mm(22)
        normal = self.file.styles["Normal"]
        normal.font.name, normal.font.size = "Calibri", Pt(11)
        normal.paragraph_format.space_after = Pt(4)
        facts = self.file.core_properties
        facts.title, facts.author, facts.language, facts.comments = safe(title)[:250], "Consult", language(), ""
        for number, line in enumerate(heading):
            self.line(line, bold=number == 0, size=12 if number == 0 else 10.5, align=CENTER)
        self.line("", size=4)

    def line(self, words: Any, *, bold: bool = False, size: float | None = None, align: Any = None, muted: bool = False) -> Any:
        """One paragraph."""
        paragraph = self.file.add_paragraph()
        run = paragraph.add_run(safe(words))
        run.bold = bold or None
        if size:
            run.font.size = Pt(size)
        if muted:
            run.font.color.rgb = RGBColor(0x5B, 0x64, 0x73)
        if align is not None:
            paragraph.alignment = align
        return paragraph

    def title(self, words: str, below: Sequence[str] = ()) -> None:
        self.line(words.upper(), bold=True, size=15, align=CENTER)
        for line in below:
            self.line(line, align=CENTER)

    def chapter(self, words: str) -> None:
        """A heading of the first level."""
        run = self.file.add_heading(level=1).add_run(safe(words))
        run.font.name, run.font.size, run.font.color.rgb = "Calibri", Pt(16), RGBColor(0x1D, 0x24, 0x30)

    def heading(self, words: str) -> None:
        paragraph = self.file.add_heading(level=2)
        run = paragraph.add_run(safe(words))
        run.font.name, run.font.size, run.font.color.rgb = "Calibri", Pt(12.5), RGBColor(0x1F, 0x5F, 0x6B)
        paragraph.paragraph_format.space_before = Pt(12)

    def blanks(self, number: int) -> None:
        """Dotted lines to write on."""
        for _n in range(number):
            self.line("…" * 46, muted=True)

    def table(self, header: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[float], size: float = 10) -> None:
        """A grid whose header is repeated on every page."""
        grid = self.file.add_table(rows=1 + len(rows), cols=len(header))
        grid.style, grid.alignment, grid.autofit = "Table Grid", WD_TABLE_ALIGNMENT.CENTER, False
        for row, cells in zip(grid.rows, [header, *rows], strict=True):
            for cell, words, width in zip(row.cells, cells, widths, strict=True):
                cell.width = Mm(width)
                run = cell.paragraphs[0].add_run(safe(words))
                run.bold = (cells is header) or None
                run.font.size = Pt(size)
        mark = grid.rows[0]._tr.get_or_add_trPr()
        mark.append(mark.makeelement(f"{{{mark.nsmap['w']}}}tblHeader", {}))
        self.line("", size=4)

    def facts(self, pairs: Sequence[tuple[str, Any]]) -> None:
        """Terms and what they are, without lines."""
        grid = self.file.add_table(rows=len(pairs), cols=3)
        grid.autofit = False
        for row, (term, words) in zip(grid.rows, pairs, strict=True):
            for cell, text, width in zip(row.cells, (term, ":", words), (38, 5, 117), strict=True):
                cell.width = Mm(width)
                cell.paragraphs[0].add_run(safe(text))
        self.line("", size=4)

    def signatures(self, blocks: Sequence[Sequence[str]]) -> None:
        """Blocks of lines to sign, two beside each other."""
        grid = self.file.add_table(rows=(len(blocks) + 1) // 2, cols=2)
        for number, lines in enumerate(blocks):
            cell = grid.cell(number // 2, number % 2)
            for place, words in enumerate(lines):
                paragraph = cell.paragraphs[0] if place == 0 else cell.add_paragraph()
                paragraph.add_run(safe(words))
                paragraph.paragraph_format.space_after = Pt(2)
                paragraph.paragraph_format.keep_with_next = True

    def bytes(self) -> bytes:
        buffer = io.BytesIO()
        self.file.save(buffer)
        return buffer.getvalue()
