"""What all forms share: messages in the reader's language, texts in several languages, trimmed and normalised input."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from wtforms import Form as PlainForm
from wtforms import FormField, IntegerField, StringField, TextAreaField, ValidationError
from wtforms.validators import Length, Optional

from .errors import DomainError
from .i18n import _, get_translations, gettext

# WTForms' own messages, repeated so that they are in our catalogue: it ships no Indonesian.
WTFORMS_MESSAGES = (
    _("This field is required."),
    _("Invalid input."),
    _("Invalid email address."),
    _("Not a valid choice."),
    _("Not a valid date value."),
    _("Not a valid time value."),
    _("Not a valid datetime value."),
    _("Not a valid integer value."),
    _("Invalid Choice: could not coerce."),
    _("Invalid URL."),
    _("Invalid value, must be one of: %(values)s."),
    _("Field must be equal to %(other_name)s."),
)
SHORT, LONG = 200, 20_000
LARGEST = 2**31 - 1


class _Translations:
    """What WTForms asks for its messages."""

    def gettext(self, words: str) -> str:
        # WTForms puts the values in itself, so the marks have to come through untouched
        return str(get_translations().gettext(words))

    def ngettext(self, one: str, many: str, n: int) -> str:
        return str(get_translations().ngettext(one, many, n))


class Form(FlaskForm):
    """The base of every form."""

    class Meta(FlaskForm.Meta):
        def get_translations(self, form: Any) -> Any:
            return _Translations()

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """What a browser sends of a form, and no JSON: that could be a number, or hold numbers, where words are read."""
            is_json = formdata is _Auto and request and request.is_json
            return request.form if is_json else super().wrap_formdata(form, formdata)


# How word processors break a line: vertical tab (Word's Shift+Enter), form feed, NEL, line and paragraph separator.
_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Word keeps bullets as characters of its Symbol and Wingdings fonts, in Unicode's area for private use.
_SYMBOLS = str.maketrans(
    {0xF000 + code: words for code, words in ((0xB7, "•"), (0xA7, "•"), (0x76, "•"), (0xD8, "•"))}
    | {0xF0FC: "✓", 0xF0FE: "✓", 0xF0FB: "✗", 0xF0E0: "→", 0xF0DF: "←", 0xF02D: "-", 0xF020: " "}
    # marks that nobody sees: where a word may be parted, where a file begins
    | dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF), "")
)


def clean(words: str | None) -> str:
    """Text as it is kept: NFC, with "\n" for every kind of line break, without control characters and outer space.

    Symbols of Word's own fonts become the characters they look like; soft hyphens and zero-width spaces go.
    """
    if not words or words.isprintable():  # nearly always, and there are lists of thousands
        return unicodedata.normalize("NFC", words or "").strip()
    text = _BREAKS.sub("\n", unicodedata.normalize("NFC", words)).translate(_SYMBOLS)
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return text.strip()


def one_line(words: str | None) -> str:
    """As `clean`, on a single line."""
    return " ".join(clean(words).split())


class _Cleaned:
    """Mixin: what was typed is cleaned before it is judged, so that spaces alone do not fill in a required field."""

    raw_data: list[str]

    def process_formdata(self, valuelist: list[str]) -> None:
        self.raw_data = [clean(words) for words in valuelist]
        super().process_formdata(self.raw_data)  # type: ignore[misc]


class Line(_Cleaned, StringField):
    """One line of text of at most 200 characters, cleaned."""

    def __init__(self, label: Any = None, validators: Iterable[Any] = (), most: int = SHORT, **more: Any) -> None:
        super().__init__(label, [*validators, Length(max=most, message=_("At most %(max)d characters."))], filters=[one_line], **more)


class Block(_Cleaned, TextAreaField):
    """Several lines of text of at most 20,000 characters, cleaned."""

    def __init__(self, label: Any = None, validators: Iterable[Any] = (), most: int = LONG, **more: Any) -> None:
        super().__init__(label, [*validators, Length(max=most, message=_("At most %(max)d characters."))], filters=[clean], **more)


class _Lines(PlainForm):
    en = Line(_("In English"), [Optional()])
    id = Line(_("In Bahasa Indonesia"), [Optional()])


class _Blocks(PlainForm):
    en = Block(_("In English"), [Optional()])
    id = Block(_("In Bahasa Indonesia"), [Optional()])


class TextsField(FormField):
    """A text in each language (`i18n.Texts`); with `required`, at least one of them has to be given."""

    def __init__(self, label: Any = None, long: bool = False, required: bool = False, **more: Any) -> None:
        self.required = required
        super().__init__(_Blocks if long else _Lines, label, **more)

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        valid = bool(super().validate(form, extra_validators))
        if self.required and not any(self.data.values()):
            self.form.en.errors = [*self.form.en.errors, gettext("Give it in at least one language.")]
            return False
        return valid


class WholeNumber(IntegerField):
    """A whole number that a column can hold."""

    def pre_validate(self, form: Any) -> None:
        if self.data is not None and abs(self.data) > LARGEST:
            raise ValidationError(gettext("This number is too large."))


def choices(kind: type[StrEnum], labels: dict[Any, Any]) -> list[tuple[str, Any]]:
    """The choices of a select or radio field for an enum, in its order, with translated labels."""
    return [(member.value, labels[member]) for member in kind]


def mark(form: Any, problem: DomainError) -> int:
    """Show beside its field why an action refused, or above the form; returns the status to answer with."""
    name = getattr(problem, "field", "")
    field = next((f for f in form if name and f.short_name == name), None)
    if field is None:
        form.form_errors.append(str(problem.message))
    else:
        inner = next(iter(field.form), field) if hasattr(field, "form") else field
        inner.errors = [*inner.errors, str(problem.message)]
    return problem.status
