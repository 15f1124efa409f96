"""Countries and their subdivisions by ISO 3166, and other lists of standards that a consultation chooses from."""

from __future__ import annotations

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import pycountry
from babel import Locale

from consult_app.consultations.models import Level
from consult_app.errors import Invalid
from consult_app.i18n import _, language

SDG = re.compile(r"(1[0-7]|[1-9])(\.([1-9]\d?|[a-d]))?", re.IGNORECASE)
GCM = re.compile(r"2[0-3]|1\d|[1-9]")


def _country_name(code: str, locale: str) -> str:
    """The country's name in a language; ISO's English name where the language has none."""
    country: Any = pycountry.countries.get(alpha_2=code)
    return str(Locale.parse(locale).territories.get(code) or country.name)


@cache
def _countries(locale: str) -> list[tuple[str, str]]:
    named = [(country.alpha_2, _country_name(country.alpha_2, locale)) for country in pycountry.countries]
    return sorted(named, key=lambda pair: pair[1])


def countries() -> list[tuple[str, str]]:
    """(code, name) of every country of ISO 3166-1, by name in the reader's language."""
    return _countries(language())


@cache
def subdivisions(country: str) -> list[tuple[str, str]]:
    """(code, name) of every subdivision of a country by ISO 3166-2; none for an unknown country."""
    every: Any = pycountry.subdivisions
    found = every.get(country_code=country.upper()) if country else None
    return sorted(((s.code, s.name) for s in found or ()), key=lambda pair: pair[1])


def territory_name(code: str) -> str:
    """The name of "ID" or "ID-JT" ("Jawa Tengah, Indonesia"); the code itself if it is unknown."""
    country = code[:2]
    if pycountry.countries.get(alpha_2=country) is None:
        return code
    name = _country_name(country, language())
    within = dict(subdivisions(country)).get(code)
    return f"{within}, {name}" if within else name


def check_territory(level: Level, code: str) -> None:
    """Raise Invalid unless the code is a country's for a national, a subdivision's for a sub-national consultation."""
    if level is Level.NATIONAL and pycountry.countries.get(alpha_2=code) is None:
        raise Invalid(_("This is not a country of ISO 3166."), field="country")
    if level is Level.SUBNATIONAL and code not in dict(subdivisions(code[:2])):
        raise Invalid(_("Choose the province, state or district: the country alone is a national consultation."), field="subdivision")


@cache
def timezones() -> tuple[str, ...]:
    """Time zones by place, Indonesia's first."""
    own = ("Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura")
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/")))
    return (*own, "UTC", *sorted(set(places) - set(own)))


def split_tags(words: str) -> list[str]:
    """The tags of "3.8; 10.7, 16", each once, in the order given."""
    return list(dict.fromkeys(tag.strip() for tag in re.split(r"[;,\s]+", words) if tag.strip()))


def wrong_tags(tags: list[str], pattern: re.Pattern[str]) -> list[str]:
    """Those that are not a goal or target (`SDG`), or not an objective of the Global Compact (`GCM`)."""
    return [tag for tag in tags if not pattern.fullmatch(tag)]
