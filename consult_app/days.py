"""Days as people write them in a spreadsheet: read in every usual way, the day before the month as in both languages of the product."""

from __future__ import annotations

import datetime as dt
import re

# the first letters of a month in English and Indonesian; "agt" and "nop" are how Indonesian letters shorten them
MONTHS = {
    "jan": 1, "feb": 2, "peb": 2, "mar": 3, "apr": 4, "may": 5, "mei": 5, "jun": 6, "jul": 7, "aug": 8, "agu": 8, "agt": 8, "ags": 8,
    "sep": 9, "oct": 10, "okt": 10, "nov": 11, "nop": 11, "dec": 12, "des": 12,
}  # fmt: skip
FIRST_SERIAL, LAST_SERIAL = 36_526, 73_050  # what a spreadsheet calls the days from 2000 to 2099
_WEEKDAY = re.compile(r"^[^\W\d]+\s*,\s*")
_YEAR_FIRST = re.compile(r"^(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?$")
_DAY_FIRST = re.compile(r"^(\d{1,2})\s*[-/. ]\s*(\d{1,2})\s*[-/. ]\s*(\d{4}|\d{2})$")
_DAY_AND_WORD = re.compile(r"^(\d{1,2})(?:st|nd|rd|th)?[-/. ]*([^\W\d]{3,10})[-/., ]*(\d{4}|\d{2})$")
_WORD_AND_DAY = re.compile(r"^([^\W\d]{3,10})[-/. ]*(\d{1,2})(?:st|nd|rd|th)?[-/., ]+(\d{4})$")


def day_from(words: str) -> dt.date | None:
    """The day that a cell names; None where it names none.

    "2026-01-02", "2 Jan 2026", "Jumat, 2 Januari 2026", "January 2, 2026", "2/1/2026", "2.1.26", and the number of a day in a
    spreadsheet. Where day and month could be exchanged the day is first; where only the other way is a day, it is that.
    """
    text = _WEEKDAY.sub("", " ".join(words.casefold().split()))
    if found := _YEAR_FIRST.match(text):
        return _day(found[1], found[2], found[3])
    if found := _DAY_FIRST.match(text):
        return _day(found[3], found[2], found[1]) or _day(found[3], found[1], found[2])
    if found := _DAY_AND_WORD.match(text):
        return _day(found[3], str(MONTHS.get(found[2][:3], 0)), found[1])
    if found := _WORD_AND_DAY.match(text):
        return _day(found[3], str(MONTHS.get(found[1][:3], 0)), found[2])
    serial = text.removesuffix(".0")
    if serial.isascii() and serial.isdigit() and FIRST_SERIAL <= int(serial[:9]) <= LAST_SERIAL:
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(serial))
    return None


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))
    except ValueError:
        return None
