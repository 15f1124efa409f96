"""English and Bahasa Indonesia are both complete: the catalogue has every string that the sources mark."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from flask import render_template_string

from consult_app.i18n import _

CATALOGUE = Path("consult_app/translations/id/LC_MESSAGES/messages.po")


def marked(folder: Path) -> set[object]:
    """Every string that is marked for translation."""
    pot = folder / "messages.pot"
    keywords = ["-k", "_", "-k", "gettext", "-k", "ngettext:1,2", "-k", "lazy_gettext"]
    subprocess.run(
        [
            Path(sys.executable).parent / "pybabel",
            "-q",
            "extract",
            "-F",
            "babel.cfg",
            "--ignore-dirs",
            ".[a-z]* node_modules var",
            *keywords,
            "-o",
            pot,
            ".",
        ],
        check=True,
    )
    with pot.open("rb") as file:
        return {message.id for message in read_po(file) if message.id}


def placeholders(words: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", words))


def test_every_string_is_translated_and_none_is_left_over(tmp_path: Path) -> None:
    with CATALOGUE.open("rb") as file:
        catalogue = {message.id: message for message in read_po(file) if message.id}
    wanted = marked(tmp_path)
    assert sorted(map(str, wanted - catalogue.keys())) == []
    assert sorted(map(str, catalogue.keys() - wanted)) == []
    empty = [m.id for m in catalogue.values() if not m.string or (isinstance(m.string, tuple) and not all(m.string)) or m.fuzzy]
    assert empty == []


def test_placeholders_are_the_same_in_both_languages() -> None:
    with CATALOGUE.open("rb") as file:
        wrong = []
        for message in read_po(file):
            sources = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            if message.id and any(placeholders(words) != placeholders(sources[-1]) for words in strings):
                wrong.append(message.id)
    assert wrong == []


def test_lazy_words_are_escaped_where_they_are_shown(app: Any) -> None:
    with app.test_request_context():
        words = _("%(name)s is not a focal point of this consultation. Invite them as one first.", name="<img src=x>")
        assert "&lt;img src=x&gt; is not" in render_template_string("{{ words }}", words=words)
        assert str(words).startswith("<img")  # in a mail or a log it is as it was typed
