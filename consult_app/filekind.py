"""What kind of file an upload is, by its content alone. What is packed is looked at in a process of its own.

Run as a script: the file comes on standard input, its kind (or the reason why it is refused) leaves as JSON on standard
output. It stands alone and unpacks two small parts at most, with little memory and little time.
"""

import io
import json
import resource
import sys
import zipfile
from typing import Any

MOST_PARTS, MOST_UNPACKED, MOST_RATIO, MOST_READ = 3000, 200 * 1024 * 1024, 200, 1024 * 1024
MEMORY, SECONDS = 300 * 1024 * 1024, 5
OFFICE = {
    "docx": ("word/document.xml", b"wordprocessingml.document.main+xml"),
    "xlsx": ("xl/workbook.xml", b"spreadsheetml.sheet.main+xml"),
    "pptx": ("ppt/presentation.xml", b"presentationml.presentation.main+xml"),
}
OPEN_DOCUMENT = {
    b"application/vnd.oasis.opendocument.text": "odt",
    b"application/vnd.oasis.opendocument.spreadsheet": "ods",
}


class Refused(Exception):
    """The code of a reason (comments/evidence.py has the words)."""


def plain_kind(data: bytes) -> str:
    """pdf, png, jpeg, webp; "zip" for what has to be looked into. Raises Refused."""
    if data.startswith(b"PK\x03\x04"):
        return "zip"
    if data.startswith(b"%PDF-") and b"%%EOF" in data[-4096:]:
        return "pdf"
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and data[-8:-4] == b"IEND":
        return "png"
    if data.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in data[-4096:]:
        return "jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and abs(int.from_bytes(data[4:8], "little") + 8 - len(data)) <= 1:
        return "webp"
    raise Refused("empty" if not data else "kind")


def packed_kind(data: bytes) -> str:
    """docx, xlsx, pptx, odt, ods: by the parts that such a file must have. Raises Refused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MOST_PARTS or unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * len(data):
                raise Refused("bomb")
            names = [part.filename for part in parts]
            if any(part.flag_bits & 1 for part in parts):
                raise Refused("locked")
            if len(set(names)) < len(names) or any(name.startswith("/") or "\\" in name or ".." in name.split("/") for name in names):
                raise Refused("kind")
            if any(name.endswith("vbaProject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
                raise Refused("macros")
            return _office(archive, names) if "[Content_Types].xml" in names else _open_document(archive, names)
    except MemoryError as problem:
        raise Refused("bomb") from problem
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, KeyError, EOFError, RuntimeError) as problem:
        raise Refused("kind") from problem


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as part:
        return part.read(MOST_READ)


def _office(archive: zipfile.ZipFile, names: list[str]) -> str:
    types = _read(archive, "[Content_Types].xml")
    if b"macroEnabled" in types:
        raise Refused("macros")
    for kind, (main, mark) in OFFICE.items():
        if main in names and mark in types:
            return kind
    raise Refused("kind")


def _open_document(archive: zipfile.ZipFile, names: list[str]) -> str:
    if names[:1] != ["mimetype"] or "content.xml" not in names or "META-INF/manifest.xml" not in names:
        raise Refused("kind")
    kind = OPEN_DOCUMENT.get(_read(archive, "mimetype").strip())
    if kind is None:
        raise Refused("kind")
    return kind


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        answer: dict[str, Any] = {"kind": packed_kind(sys.stdin.buffer.read())}
    except Refused as problem:
        answer = {"refused": str(problem)}
    except MemoryError:
        answer = {"refused": "bomb"}
    json.dump(answer, sys.stdout)
