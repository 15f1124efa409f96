"""Academic titles typed inside a name: split off before and after it, everything else kept as written. No database here."""

from __future__ import annotations

import re
import unicodedata

from consult_app.sheets import fold

# Titles that stand before a name. A single "H" is only one with its dot: without, it is an initial.
_BEFORE = re.compile(
    r"(?:(?:prof(?:esor)?|dra|drs|drg|drh|dr|ir|hj|kh|k\.\s?h|apt|ns|pdt|tgk|brigjen|kombes|akbp)(?:\.\s*|\s+)|h\.\s*|\(?h\.?\s?c\.?\)\s*)",
    re.IGNORECASE,
)
_SALUTATION = re.compile(r"(bapak|ibu|bpk|sdri|sdr|yth|mrs|mr|ms|madam|sir)(?:\.\s*|\s+)", re.IGNORECASE)
# Titles that stand after a name, without dots and spaces, in lower case.
_AFTER_WORDS = """
    sh se st sp si skm skep ked farm ssos ssi spd spdi sag sip sik sik sstp shi sei skom skomp spt spsi sik stp str strk
    mh mm mt ma mp ms msi mkes mpd mpdi mag mhum mkom msc msos mpsi mip map mpa mpp mba mph mkn mik mtr meng med mappsc mdev
    phd edd jd llm llb ba bsc beng bba md lc dea cpa ca qia cfra cpns sph spog spa sppd spkj spb finacs dphil mphil
"""
_AFTER = frozenset(_AFTER_WORDS.split())
_DOTTED = re.compile(r"(?:[A-Z][A-Za-z]{0,4}\.\s?){1,4}[A-Z]?[A-Za-z]{0,5}\.?")


def _is_title_after(words: str, *, alone: bool) -> bool:
    """Whether words are a title after a name; `alone`: a comma sets them off, so that an unknown one with dots counts too."""
    plain = "".join(c for c in words.casefold() if c.isalpha())
    if not plain or len(plain) > 10 or not words.isascii():
        return False
    if plain in _AFTER:
        return alone or "." in words or words not in (words.lower(), words.capitalize())
    return alone and _DOTTED.fullmatch(words) is not None


def _split_after(name: str) -> tuple[str, list[str]]:
    first, *rest = [part.strip() for part in name.split(",")]
    rest = [part for part in rest if part]
    words = [part for piece in rest for part in ([piece] if _is_title_after(piece, alone=True) else piece.split())]
    if rest and not all(_is_title_after(part, alone=True) for part in words):
        return name, []  # "Surname, Given name" stays as it is
    found = rest
    shouted = name.upper() == name  # in capitals a last word such as MA may be part of the name
    tokens = first.split()
    while len(tokens) > 1 and _is_title_after(tokens[-1], alone=False) and ("." in tokens[-1] or not shouted):
        found = [tokens.pop(), *found]
    return " ".join(tokens), found


def split_titles(typed: str) -> tuple[str, str, str, str]:
    """(salutation, title before, name, title after) of a name as typed; the name is never empty unless nothing was typed."""
    rest, after = _split_after(typed.strip())
    salutation: list[str] = []
    before: list[str] = []
    while match := (_SALUTATION.match(rest) or _BEFORE.match(rest)):
        left = rest[match.end() :].strip()
        if not any(c.isalpha() for c in left):
            break  # a name such as "Ir" alone
        (salutation if _SALUTATION.match(rest) else before).append(match.group().strip())
        rest = left
    return " ".join(salutation), " ".join(before), rest, ", ".join(after)


def name_key(name: str) -> str:
    """A name for comparison: without case, accents and order of its words; vowel signs of other scripts count."""
    signs = any(unicodedata.category(c) in ("Mc", "Mn") and not unicodedata.combining(c) for c in unicodedata.normalize("NFC", name))
    words = unicodedata.normalize("NFC", name).casefold() if signs else fold(name)
    return " ".join(sorted(words.split()))
