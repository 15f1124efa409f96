"""Numbers and dates in words, as an official record has them, in both languages."""

from __future__ import annotations

import datetime as dt

from flask_babel import format_date

from consult_app.i18n import language

_ID = ("nol", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh", "sebelas")
_EN = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = {"one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth", "twelve": "twelfth"}


def _indonesian(n: int) -> str:
    if n < 12:
        return _ID[n]
    if n < 20:
        return f"{_ID[n - 10]} belas"
    for unit, word in ((1000, "ribu"), (100, "ratus"), (10, "puluh")):
        if n >= unit:
            head = f"se{word}" if n < 2 * unit and unit > 10 else f"{_indonesian(n // unit)} {word}"
            return f"{head} {_indonesian(n % unit)}" if n % unit else head
    raise AssertionError(n)


def _english(n: int) -> str:
    if n < 20:
        return _EN[n]
    if n < 100:
        return _TENS[n // 10] + (f"-{_EN[n % 10]}" if n % 10 else "")
    unit, word = (1000, "thousand") if n >= 1000 else (100, "hundred")
    rest = n % unit
    joint = " and " if rest < 100 else " "
    return f"{_english(n // unit)} {word}" + (joint + _english(rest) if rest else "")


def number(n: int) -> str:
    """0 to 999,999 in the reader's language: "dua ribu dua puluh tiga"."""
    return _indonesian(n) if language() == "id" else _english(n)


def ordinal(n: int) -> str:
    """The heading of an agreement: "KESATU", "KEDUA", in English "FIRST", "SECOND"."""
    if language() == "id":
        return f"ke{_indonesian(n)}".upper()
    head, mark, last = _english(n).rpartition("-")
    word = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{head}{mark}{word}".upper()


def date(value: dt.date) -> str:
    """ "Kamis, tanggal tujuh Desember dua ribu dua puluh tiga"; in English "Thursday, the seventh of December two thousand …"."""
    weekday, month = format_date(value, "EEEE", rebase=False), format_date(value, "MMMM", rebase=False)
    if language() == "id":
        return f"{weekday}, tanggal {_indonesian(value.day)} {month} {_indonesian(value.year)}"
    return f"{weekday}, the {ordinal(value.day).lower()} of {month} {_english(value.year)}"
