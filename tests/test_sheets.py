"""Files that people upload: read as they are seen, refused with the reason, and never at another's cost."""

from __future__ import annotations

import contextlib
import io
import threading
import time
import zipfile
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from consult_app import sheets
from consult_app.errors import Invalid

HEADER = ["Nama", "Instansi", "Jenis"]


@pytest.fixture(autouse=True)
def request_context(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        yield


def book(rows: list[list[str]]) -> bytes:
    return sheets.write_xlsx({"Daftar": (HEADER, rows)})


def changed(data: bytes, **parts: bytes) -> bytes:
    """The workbook with other parts, or more of them."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name, old.read(name)))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def endless(kind: bytes) -> bytes:
    """A sheet that unpacks to 55 MB of `kind` rows."""
    data = book([["Siti", "Dinas", "NGO"]])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        head = archive.read("xl/worksheets/sheet1.xml").split(b"<sheetData>")[0]
    return changed(
        data, **{"xl/worksheets/sheet1.xml": head + b"<sheetData>" + kind * (55_000_000 // len(kind)) + b"</sheetData></worksheet>"}
    )


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "ten-megabytes.csv": (lambda: b"a,b\n" * 2_600_000, "larger than 5 MB"),
    "bomb.xlsx": (lambda: changed(book([]), **{"xl/media/image1.xml": b"0" * 200_000_000}), "far larger inside than it looks"),
    "macros.xlsx": (lambda: changed(book([]), **{"xl/vbaProject.bin": b"x"}), "contains macros"),
    "picture.xlsx": (lambda: b"\x89PNG\r\n\x1a\n" + b"x" * 5000, "not a spreadsheet of a kind"),
    "old.xls": (lambda: b"\xd0\xcf\x11\xe0" + b"x" * 5000, "not a spreadsheet of a kind"),
    "broken.xlsx": (lambda: book([])[:-200], "cannot be read as a spreadsheet"),
    "archive.xlsx": (lambda: changed(b"PK\x05\x06" + b"\x00" * 18, **{"readme.txt": b"hello"}), "cannot be read as a spreadsheet"),
    "long.csv": (lambda: b"a,b\n" * 20_001, "at most 20,000 rows"),
    "tall.xlsx": (lambda: book([["Siti", "Dinas", "NGO"]] * 20_001), "at most 20,000 rows"),
    "binary.csv": (lambda: b"a\x00b" * 100, "not a text file"),
    "quote.csv": (lambda: b'"' + b"a,b\n" * 100_000, "cannot be read as a table"),
    "nothing.csv": (lambda: b"  \n ", "is empty"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_refused_with_its_name_and_the_reason(name: str) -> None:
    make, words = REFUSED[name]
    data = make()
    with pytest.raises(Invalid) as problem:
        sheets.read(name, data)
    assert name in str(problem.value.message)
    assert words in str(problem.value.message)


@pytest.mark.parametrize(
    "row", [b'<row><c t="inlineStr"><is><t>x</t></is></c></row>', b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', b"<!-- -->"]
)
def test_a_sheet_that_grows_while_it_is_read_ends_within_its_limits(row: bytes) -> None:
    """Whatever the answer: it comes, for the process that reads may have 5 seconds of the processor, and 300 MB."""
    started = time.monotonic()
    with contextlib.suppress(Invalid):
        sheets.read("hostile.xlsx", endless(row))
    assert time.monotonic() - started < 60


def test_others_go_on_while_a_file_is_read() -> None:
    """The reading happens in another process: this one is free."""
    ticks = []
    stop = threading.Event()

    def tick() -> None:
        while not stop.wait(0.005):
            ticks.append(time.monotonic())

    data = book([[f"Orang {n}", "Dinas", "NGO"] for n in range(15_000)])
    thread = threading.Thread(target=tick)
    thread.start()
    assert len(sheets.read("long.xlsx", data)[0].rows) == 15_001
    stop.set()
    thread.join()
    assert len(ticks) > 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_any_encoding_and_separator(encoding: str, mark: str) -> None:
    lines = [mark.join(HEADER)] + [mark.join([name, "Dinas Tenaga Kerja", "NGO"]) for name in ("Renée Müller", "José Peña", "Siti")]
    (sheet,) = sheets.read("daftar.csv", "\r\n".join(lines).encode(encoding))
    assert [row[0] for row in sheet.rows] == ["Nama", "Renée Müller", "José Peña", "Siti"]
    assert [len(row) for row in sheet.rows] == [3, 3, 3, 3]


def test_scripts_and_codes_are_kept_as_written() -> None:
    rows = [["محمد الفاتح", "ꦏꦒꦸꦔꦤ꧀", "1.10"], ["Suparman", "0812", "+62 812"]]
    (sheet,) = sheets.read("daftar.xlsx", book(rows))
    assert sheet.rows[1:] == rows


def test_arabic_of_an_old_spreadsheet_is_kept() -> None:
    lines = ["Nama;Instansi", *(f"{name};وزارة الخارجية" for name in ("محمد الفاتح", "فاطمة الزهراء", "عبد الرحمن بن عوف"))]
    (sheet,) = sheets.read("daftar.csv", "\n".join(lines).encode("cp1256"))
    assert [row[0] for row in sheet.rows[1:]] == ["محمد الفاتح", "فاطمة الزهراء", "عبد الرحمن بن عوف"]
