"""Languages: which one a reader gets, and texts that are kept in several.

A text of the domain (a title, a question) is a mapping from language code to words, `Texts`; `local()` picks the
reader's language and falls back to the first one that has words, so that nothing is ever shown empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Flask, current_app, g, has_request_context, request, session
from flask_babel import Babel, force_locale, format_date, format_decimal, get_domain, get_locale
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

__all__ = [
    "Texts",
    "_",
    "clock",
    "date_of",
    "day",
    "days",
    "get_translations",
    "gettext",
    "init_app",
    "language",
    "local",
    "moment",
    "ngettext",
    "reading",
    "size",
]

Texts = dict[str, str]


class Lazy(LazyString):  # type: ignore[misc]
    """Words that are translated when they are read. The library's own pass for HTML that is safe, with what people typed in them."""

    def __html__(self) -> Markup:
        return escape(str(self))


def _(words: str, **values: Any) -> Lazy:
    """Words for the reader's language, whoever that will be, with `values` put in."""
    return Lazy(gettext, words, **values)


# The names that Indonesia's three time zones carry on every invitation.
ZONE_NAMES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
    "UTC": "UTC",
}

babel = Babel()
_locale = cache(Locale.parse)  # asked at every request


def pick_language() -> str:
    """The code of the language chosen by the reader, else the browser's preference, else English."""
    languages: tuple[str, ...] = current_app.config["LANGUAGES"]
    if not has_request_context():
        return languages[0]
    asked = request.args.get("lang") or session.get("language")
    if asked in languages:
        return str(asked)
    return request.accept_languages.best_match(languages) or languages[0]


def _spoken() -> tuple[str, Any]:
    """The code of the language in use here and its catalogue: found once for a request, since a page has hundreds of words."""
    here: tuple[str, Any] | None = g.get("spoken") if g else None
    if here is None:
        locale = get_locale()
        here = (str(locale.language) if locale else "en", get_domain().get_translations())
        if g:
            g.spoken = here
    return here


def get_translations() -> Any:
    """The catalogue of the language in use here."""
    return _spoken()[1]


def language() -> str:
    """The code of the language in use here ("en", "id")."""
    return _spoken()[0]


def gettext(words: str, /, **values: Any) -> str:
    """The words in the language in use here, with `values` put in."""
    found: str = _spoken()[1].ugettext(words)
    return found % values if values else found


def ngettext(one: str, many: str, num: int, /, **values: Any) -> str:
    """The words for so many (`%(num)s`) in the language in use here, with `values` put in."""
    found: str = _spoken()[1].ungettext(one, many, num)
    return found % {"num": num, **values}


@contextmanager
def reading(code: str) -> Iterator[None]:
    """Speak the given language inside the block (mails, documents); unknown codes mean English."""
    before = g.pop("spoken", None)
    try:
        with force_locale(code if code in current_app.config["LANGUAGES"] else "en"):
            yield
    finally:
        g.spoken = before


def local(texts: Mapping[str, str] | None, code: str | None = None) -> str:
    """The words of `texts` in `code` (default: the reader's language), else the first that are not empty."""
    if not texts:
        return ""
    return texts.get(code or language(), "") or next((words for words in texts.values() if words), "")


def day(value: dt.date) -> str:
    """A date as the reader writes it: "Kamis, 7 Desember 2023", "Thursday, 7 December 2023"."""
    return str(format_date(value, "EEEE, d MMMM y", rebase=False))


def date_of(value: dt.date) -> str:
    """A date without its weekday: "7 Desember 2023"."""
    return str(format_date(value, "d MMMM y", rebase=False))


def days(first: dt.date, last: dt.date) -> str:
    """One day, or a span of days: "20-21 June 2023"."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{format_date(last, 'd MMMM y', rebase=False)}"
    return f"{format_date(first, 'd MMMM y', rebase=False)} – {format_date(last, 'd MMMM y', rebase=False)}"


def clock(moment: dt.datetime, zone: str) -> str:
    """The time of a moment in a zone, with the zone's name: "09.12 WIB" or "09:12 WIB"."""
    there = moment.astimezone(ZoneInfo(zone))
    mark = "." if language() == "id" else ":"
    return f"{there:%H}{mark}{there:%M} {ZONE_NAMES.get(zone, there.tzname() or zone)}"


def moment(value: dt.datetime, zone: str) -> str:
    """Date and time of a moment in a zone, with the zone's name: "Thursday, 7 December 2023, 09:12 WIB"."""
    return f"{day(value.astimezone(ZoneInfo(zone)).date())}, {clock(value, zone)}"


def size(number: int) -> str:
    """How large a file is: "1.2 MB" or "1,2 MB"; a small one in KB."""
    if number < 100_000:
        return f"{format_decimal(max(1, round(number / 1000)))} KB"
    return f"{format_decimal(number / 1_000_000, '#,##0.0')} MB"


def init_app(app: Flask) -> None:
    """Install the language choice and the template names `_`, `local`, `day`, `clock`, `moment`."""
    babel.init_app(app, locale_selector=lambda: _locale(pick_language()), default_translation_directories=str(app.config["TRANSLATIONS"]))
    app.jinja_env.filters.update(local=local, day=day, clock=clock, moment=moment, size=size)
    app.jinja_env.globals.update(days=days, gettext=gettext, ngettext=ngettext)
