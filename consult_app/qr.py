"""QR codes: encoded once (5 ms, nearly all their cost), kept as a matrix, drawn as PNG or SVG."""

from __future__ import annotations

import io
from functools import lru_cache

import qrcode
from PIL import Image

QUIET = 4  # modules of white around it, as the standard asks


@lru_cache(maxsize=20_000)  # 2 KB each
def matrix(words: str) -> tuple[bytes, ...]:
    """Rows of modules, 1 for a dark one, without the quiet zone."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(words)
    code.make(fit=True)
    return tuple(bytes(map(bool, row)) for row in code.get_matrix())


def png(words: str, scale: int = 8) -> bytes:
    """A black and white PNG, `scale` pixels per module."""
    cells = matrix(words)
    image = Image.new("1", (len(cells) + 2 * QUIET,) * 2, 1)
    for y, row in enumerate(cells):
        for x, dark in enumerate(row):
            if dark:
                image.putpixel((x + QUIET, y + QUIET), 0)
    buffer = io.BytesIO()
    image.resize((image.width * scale, image.height * scale)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def svg_path(words: str) -> tuple[int, str]:
    """The size in modules (quiet zone included) and the `d` of one SVG path: runs of dark modules, row by row."""
    cells, parts = matrix(words), []
    for y, row in enumerate(cells):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                parts.append(f"M{start + QUIET} {y + QUIET}h{x - start}v1h-{x - start}z")
            x += 1
    return len(cells) + 2 * QUIET, "".join(parts)
