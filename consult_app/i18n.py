"""Languages: which one a reader gets, and texts that are kept in several.

A text of the domain (a title, a question) is a mapping from language code to words, `Texts`; `local()` picks the
reader's language and falls back to the first one that has words, so that nothing is ever shown empty.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, has_request_context, request, session
from flask_babel import Babel, force_locale, format_date, get_domain, get_locale, gettext, ngettext
from flask_babel import lazy_gettext as _

__all__ = [
    "Texts",
    "_",
    "clock",
    "date_of",
    "day",
    "days",
    "force_locale",
    "get_translations",
    "gettext",
    "init_app",
    "language",
    "local",
    "moment",
    "ngettext",
    "reading",
]

Texts = dict[str, str]

# The names that Indonesia's three time zones carry on every invitation.
ZONE_NAMES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
    "UTC": "UTC",
}

babel = Babel()


def pick_language() -> str:
    """The language chosen by the reader, else the browser's preference, else English."""
    languages: tuple[str, ...] = current_app.config["LANGUAGES"]
    if not has_request_context():
        return languages[0]
    asked = request.args.get("lang") or session.get("language")
    if asked in languages:
        return str(asked)
    return request.accept_languages.best_match(languages) or languages[0]


def get_translations() -> Any:
    """The catalogue of the language in use here."""
    return get_domain().get_translations()


def language() -> str:
    """The code of the language in use here ("en", "id")."""
    locale = get_locale()
    return str(locale.language) if locale else "en"


@contextmanager
def reading(code: str) -> Iterator[None]:
    """Speak the given language inside the block (mails, documents); unknown codes mean English."""
    with force_locale(code if code in current_app.config["LANGUAGES"] else "en"):
        yield


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


def init_app(app: Flask) -> None:
    """Install the language choice and the template names `_`, `local`, `day`, `clock`, `moment`."""
    babel.init_app(app, locale_selector=pick_language, default_translation_directories=str(app.config["TRANSLATIONS"]))
    app.jinja_env.filters.update(local=local, day=day, clock=clock, moment=moment)
    app.jinja_env.globals.update(days=days, gettext=gettext, ngettext=ngettext)
