"""Phone numbers in international form."""

from __future__ import annotations

import phonenumbers


def normal_phone(typed: str, region: str) -> str:
    """A number in international form ("+62 812-0000-0001"); ValueError where it cannot be one."""
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException as problem:
        raise ValueError(typed) from problem
    if not phonenumbers.is_possible_number(number):
        raise ValueError(typed)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def e164(typed: str, region: str) -> str:
    """The same number as machines want it ("+6281200000001"); ValueError where it cannot be one."""
    return "+" + "".join(c for c in normal_phone(typed, region) if c.isdigit())
