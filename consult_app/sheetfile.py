"""A spreadsheet file taken apart, in a process of its own with little memory and little time.

Run as a script: the file comes on standard input, the rows (or the reason why not) leave as JSON on standard output.
It stands alone, so that it starts in a tenth of a second and a hostile file reaches nothing else.
"""

import csv
import datetime as dt
import io
import json
import resource
import sys
import zipfile
from collections import Counter
from itertools import islice
from typing import Any

MAX_ROWS, MAX_COLUMNS, MAX_CHARACTERS = 20_000, 200, 20_000_000
MAX_UNPACKED = 60 * 1024 * 1024  # bytes of an XLSX once unpacked
MEMORY, SECONDS = 300 * 1024 * 1024, 5
Rows = list[list[str]]


class Refused(Exception):
    """The code of a reason (sheets.REASONS), and what its words need."""

    def __init__(self, code: str, **names: str) -> None:
        super().__init__(code)
        self.names = names


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    return str(value) if value is not None else ""


def _read_xlsx(data: bytes) -> dict[str, Rows]:
    import python_calamine  # noqa: PLC0415  only when it is needed: a CSV starts sooner

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if sum(part.file_size for part in parts) > MAX_UNPACKED or len(parts) > 2000:
                raise Refused("bomb")
            if any(part.filename.endswith("vbaProject.bin") for part in parts):
                raise Refused("macros")
        book = python_calamine.load_workbook(io.BytesIO(data))
        names = [meta.name for meta in book.sheets_metadata if meta.visible == python_calamine.SheetVisibleEnum.Visible]
        sheets = {}
        for name in names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
                raise Refused("large_sheet", sheet=name)
            # skip_empty_area=False keeps the row numbers that people see
            sheets[name] = [[_text(v) for v in row] for row in sheet.to_python(skip_empty_area=False)]
        return sheets
    except MemoryError as problem:
        raise Refused("bomb") from problem
    except (zipfile.BadZipFile, python_calamine.CalamineError, OSError, ValueError, KeyError) as problem:
        raise Refused("unreadable") from problem


def _delimiter(text: str) -> str:
    """The mark that gives the most rows of one width: a sentence has commas too, but not the same number in each row."""

    def regularity(mark: str) -> tuple[int, int]:
        rows = islice(csv.reader(io.StringIO(text, newline=""), delimiter=mark), 50)
        widths = Counter(len(row) for row in rows if len(row) > 1)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(",;\t|", key=regularity)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        from charset_normalizer import from_bytes  # noqa: PLC0415  rarely needed, and slow to import

        best = from_bytes(data[:200_000]).best()
        if best is None:
            raise Refused("characters") from None
        # several encodings give Latin letters, and only some of them the right ones: in these, spreadsheets write Windows-1252
        is_latin = not data.startswith((b"\xff\xfe", b"\xfe\xff")) and all("Latin" in name or "Control" in name for name in best.alphabets)
        return data.decode("cp1252" if is_latin else best.encoding, "replace").removeprefix("\ufeff")


def _read_csv(data: bytes) -> dict[str, Rows]:
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Refused("not_text")
    text = _decoded(data)
    try:
        rows = list(islice(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)), MAX_ROWS + 1))
    except csv.Error as problem:
        raise Refused("not_table", reason=str(problem)) from problem
    if len(rows) > MAX_ROWS:
        raise Refused("large")
    return {"": rows}


def take_apart(data: bytes) -> dict[str, Rows]:
    """The visible sheets by name (a CSV has one, without a name), every cell as text. Raises Refused."""
    if not data.strip():
        raise Refused("empty")
    if data.startswith(b"PK"):
        sheets = _read_xlsx(data)
    elif data.startswith((b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8", b"GIF8")):
        raise Refused("other_kind")
    else:
        sheets = _read_csv(data)
    if sum(len(cell) for rows in sheets.values() for row in rows for cell in row) > MAX_CHARACTERS:
        raise Refused("large")
    return sheets


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        answer: dict[str, Any] = {"sheets": take_apart(sys.stdin.buffer.read())}
    except Refused as problem:
        answer = {"refused": str(problem), "names": problem.names}
    except MemoryError:
        answer = {"refused": "bomb", "names": {}}
    json.dump(answer, sys.stdout)
