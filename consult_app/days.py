"""Days as people write them in a spreadsheet: read in every usual way, the day before the month as in both languages of the product."""

from __future__ import annotations

import datetime as dt
import re

# whole names in English and Indonesian; a cell may have their first letters, from three on
_NAMES = (
    "january januari", "february februari pebruari", "march maret", "april", "may mei", "june juni", "july juli",
    "august agustus", "september", "october oktober", "november nopember", "december desember",
)  # fmt: skip
_SHORT = {"agt": 8, "ags": 8, "sept": 9}  # how Indonesian and English letters shorten them besides
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")  # the month of an official letter
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday senin selasa rabu kamis jumat jum'at sabtu minggu ahad"
FIRST_SERIAL, LAST_SERIAL = 36_526, 73_050  # what a spreadsheet calls the days from 2000 to 2099
_WEEKDAY = re.compile(r"^([^\W\d][^\W\d’']*?[’']?[^\W\d]*)\s*(?:[,/]\s*|\s)(?=.*\d)")
_YEAR_FIRST = re.compile(r"^(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?z?)?$")
_DAY_FIRST = re.compile(r"^(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{2})$")
_DAY_AND_WORD = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([^\W\d]{1,10})[-/., ]*(\d{4}|\d{2})$")
_WORD_AND_DAY = re.compile(r"^([^\W\d]{3,10})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4})$")


def day_from(words: str) -> dt.date | None:
    """The day that a cell names; None where it names none.

    "2026-01-02", "2 Jan 2026", "Jumat, 2 Januari 2026", "January 2, 2026", "2/1/2026", "2.1.26", and the number of a day in a
    spreadsheet. Where day and month could be exchanged the day is first; where only the other way is a day, it is that.
    """
    text = " ".join(words.casefold().split())
    if (found := _WEEKDAY.match(text)) and _is_weekday(found[1]):
        text = text[found.end() :]
    if found := _YEAR_FIRST.match(text):
        return _day(found[1], found[2], found[3])
    if found := _DAY_FIRST.match(text):
        return _day(found[3], found[2], found[1]) or _day(found[3], found[1], found[2])
    if found := _DAY_AND_WORD.match(text):
        return _day(found[3], _month(found[2]), found[1])
    if found := _WORD_AND_DAY.match(text):
        return _day(found[3], _month(found[1]), found[2])
    serial = text.removesuffix(".0")
    if serial.isascii() and serial.isdigit() and FIRST_SERIAL <= int(serial[:9]) <= LAST_SERIAL:
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(serial))
    return None


def _is_weekday(word: str) -> bool:
    return any(name.startswith(word.replace("’", "'")) for name in _WEEKDAYS.split()) and len(word) > 2


def _month(word: str) -> str:
    """The number of a month by its name, the first letters of it, or in Roman digits; "0" for any other word."""
    if word in _ROMAN:
        return str(_ROMAN.index(word) + 1)
    if word in _SHORT:
        return str(_SHORT[word])
    numbers = (n for n, names in enumerate(_NAMES, 1) if any(name.startswith(word) for name in names.split()))
    return str(next(numbers, 0)) if len(word) > 2 else "0"


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
