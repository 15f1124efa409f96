"""Text as people paste it: from word processors, from phones, in any script. What is written is kept (rule 10)."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pypdf
import pytest

from consult_app import pdf
from consult_app.forms import clean, one_line

PASTED = {
    "vertical tab, as Word's Shift+Enter": ("pertama\vkalimat", "pertama\nkalimat"),
    "form feed, as a page break": ("pertama\fkalimat", "pertama\nkalimat"),
    "next line": ("pertama\x85kalimat", "pertama\nkalimat"),
    "line separator": ("pertama\u2028kalimat", "pertama\nkalimat"),
    "paragraph separator": ("pertama\u2029kalimat", "pertama\nkalimat"),
    "line ends of Windows and of old Macs": ("a\r\nb\rc\n", "a\nb\nc"),
    "a bullet of the font Symbol": ("\uf0b7\tOne\n\uf0b7\tTwo", "•\tOne\n•\tTwo"),
    "bullets of the font Wingdings": ("\uf0a7 One\n\uf0d8 Two\n\uf0fc Three", "• One\n• Two\n✓ Three"),
    "a soft hyphen inside a word": ("kebi\u00adjakan", "kebijakan"),
    "a zero-width space and a mark of a file's beginning": ("\ufeffSee\u200bhere", "Seehere"),
    "joiners that a script needs": ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
    "no-break spaces": ("5\u00a0%", "5\u00a0%"),
    "control characters": ("a\x00b\x07c", "abc"),
}  # fmt: skip


@pytest.mark.parametrize("kind", PASTED)
def test_text_of_word_processors_keeps_its_line_breaks_and_words(kind: str) -> None:
    pasted, kept = PASTED[kind]
    assert clean(pasted) == kept
    assert one_line(pasted) == " ".join(kept.split())


def printed(words: str) -> str:
    """The text of a PDF that holds one paragraph."""
    data = pdf.build([pdf.paragraph(words)], "Test")
    return pypdf.PdfReader(io.BytesIO(data)).pages[0].extract_text()


def drawn_in(words: str) -> set[str]:
    return {font for font, part in pdf.runs(words) if part.strip()}


@pytest.mark.parametrize("words", ["👍", "🙏🏽", "Bagus 👍 sekali", "👩‍🏫", "✅ ❌", "محمد \U0001fae8"])
def test_an_emoji_is_printed_as_a_glyph(app: Any, words: str) -> None:
    assert pdf.EMOJI in drawn_in(words)
    assert "[U+" not in printed(words)
    assert pdf.unprintable(words) == []


@pytest.mark.parametrize(("words", "shown"), [("🇮🇩 Indonesia", "ID Indonesia"), ("1️⃣ first", "1 first"), ("non\u2011stop", "non-stop")])
def test_what_has_a_plain_form_is_printed_in_it(app: Any, words: str, shown: str) -> None:
    assert shown in printed(words)
    assert pdf.unprintable(words) == []


def test_what_no_font_has_is_printed_as_its_code_never_as_a_box(app: Any) -> None:
    text = printed("Nama: 中文 \ue123, 中文字符很多")
    assert "Nama: [U+4E2D U+6587] [U+E123], [U+4E2D U+6587 U+5B57 +3]" in text
    assert "□" not in text
    assert pdf.unprintable("中文中 é \ue123 محمد ꦱꦶ 👍") == ["中", "文", "\ue123"]


def test_letters_of_all_languages_of_the_interface_are_printed(app: Any) -> None:
    catalogue = Path("consult_app/translations/id/LC_MESSAGES/messages.po").read_text()
    assert pdf.unprintable(catalogue) == []
    assert pdf.unprintable("Élise Muñoz, Begoña Šimůnek, Nguyễn Văn Đức, Żółć, ÆØÅ ß – “…” € § ≥ ½") == []


def test_a_password_is_never_named(app: Any) -> None:
    client = app.test_client()
    answer = client.post("/sign-in", data={"email": "a@example.org", "password": "密密密"})
    assert json.dumps("密")[1:-1] not in answer.text
    assert "密" not in client.get("/sign-in").text
