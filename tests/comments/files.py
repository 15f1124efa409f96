"""Files as people send them, and as somebody sends them who means harm."""

from __future__ import annotations

import io
import zipfile

import pikepdf
from PIL import Image


def _pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.save(out, deterministic_id=True)
    return out.getvalue()


PDF = _pdf()
ZIPPED = {
    "docx": {"[Content_Types].xml": b"<Types>wordprocessingml.document.main+xml</Types>", "word/document.xml": b"<w/>"},
    "xlsx": {"[Content_Types].xml": b"<Types>spreadsheetml.sheet.main+xml</Types>", "xl/workbook.xml": b"<w/>"},
    "pptx": {"[Content_Types].xml": b"<Types>presentationml.presentation.main+xml</Types>", "ppt/presentation.xml": b"<p/>"},
    "odt": {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<c/>", "META-INF/manifest.xml": b"<m/>"},
    "ods": {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<c/>", "META-INF/manifest.xml": b"<m/>"},
}


def zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3)).save(out, kind.upper())
    return out.getvalue()


def good(kind: str) -> bytes:
    """A small file of a kind that is taken."""
    if kind == "pdf":
        return PDF
    return zipped(ZIPPED[kind]) if kind in ZIPPED else picture(kind)


def locked() -> bytes:
    """A workbook whose parts are marked as protected by a password."""
    data = bytearray(good("xlsx"))
    place = data.find(b"PK\x01\x02")
    while place >= 0:
        data[place + 8] |= 1
        place = data.find(b"PK\x01\x02", place + 1)
    return bytes(data)


BAD = {
    "empty.pdf": (b"", "is empty"),
    "page.html": (b"<!doctype html><script>alert(1)</script>", "no file of a kind"),
    "picture.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no file of a kind"),
    "page.pdf": (b"<html>%PDF-1.7 %%EOF", "no file of a kind"),
    "cut.pdf": (b"%PDF-1.7\n1 0 obj", "no file of a kind"),
    "cut.png": (picture("png")[:-12], "no file of a kind"),
    "program.docx": (b"MZ\x90\x00" + b"x" * 500, "no file of a kind"),
    "old.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 500, "no file of a kind"),
    "archive.zip": (zipped({"a.txt": b"x"}), "no file of a kind"),
    "java.docx": (zipped({"META-INF/MANIFEST.MF": b"x", "A.class": b"x"}), "no file of a kind"),
    "half.docx": (zipped({"[Content_Types].xml": b"wordprocessingml.document.main+xml"}), "no file of a kind"),
    "outside.docx": (zipped({**ZIPPED["docx"], "../../etc/passwd": b"x"}), "no file of a kind"),
    "broken.docx": (good("docx")[:-30], "no file of a kind"),
    "macros.docx": (zipped({**ZIPPED["docx"], "word/vbaProject.bin": b"x"}), "contains macros"),
    "macros.docm": (zipped({**ZIPPED["docx"], "[Content_Types].xml": b"ms-word.document.macroEnabled.main+xml"}), "contains macros"),
    "basic.odt": (zipped({**ZIPPED["odt"], "Basic/Standard/Module1.xml": b"x"}), "contains macros"),
    "bomb.xlsx": (zipped({**ZIPPED["xlsx"], "xl/a.xml": b"0" * 30_000_000}), "far larger inside"),
    "many.xlsx": (zipped({**ZIPPED["xlsx"], **{f"xl/{n}": b"" for n in range(3100)}}), "far larger inside"),
    "locked.xlsx": (locked(), "protected by a password"),
}
