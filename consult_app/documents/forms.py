"""Forms of the letterhead and of each print."""

from __future__ import annotations

from typing import Any

from wtforms import SelectField, ValidationError
from wtforms.validators import InputRequired, NumberRange, Optional

from consult_app.accounts.forms import LANGUAGES
from consult_app.documents import labels
from consult_app.documents.actions import number_text
from consult_app.documents.models import Letterhead
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.forms import Form, Line, TextsField, WholeNumber
from consult_app.i18n import _, language


class LetterheadForm(Form):
    heading = TextsField(
        _("Heading"),
        long=True,
        description=_("The lines at the head of every page: who convenes, one line each; the first three are used."),
    )
    place = Line(_("Place"), most=100, description=_("Before the date of a certificate: Jakarta"))
    signatory_name = Line(_("Name of who signs"), most=120)
    signatory_position = TextsField(_("Position of who signs"))
    hours = WholeNumber(_("Hours"), [Optional(), NumberRange(1, 1000)], description=_("What a certificate says the event took."))
    number_pattern = Line(
        _("Pattern of certificate numbers"),
        [InputRequired()],
        most=80,
        description=_("{number} or {001} is the number; {year} and {month} (in Roman figures) are the event’s."),
    )

    _event: Event

    @classmethod
    def of(cls, event: Event, letterhead: Letterhead) -> LetterheadForm:
        form = cls(obj=letterhead)
        form._event = event
        return form

    def validate_number_pattern(self, pattern: Line) -> None:
        try:
            number_text(pattern.data or "", 1, self._event)
        except Invalid as problem:
            raise ValidationError(problem.message) from None

    def values(self) -> dict[str, Any]:
        """What was typed, by the names of the columns."""
        plain = ("heading", "place", "signatory_name", "signatory_position", "hours", "number_pattern")
        return {name: self[name].data for name in plain}


class PrintForm(Form):
    """How papers are printed; `PrintForm.of(prefix)` keeps the ids of several forms on a page apart."""

    paper = SelectField(_("Paper"), choices=list(labels.PAPER.items()), default="a4")
    per_sheet = SelectField(_("On one sheet"), choices=[(str(n), words) for n, words in labels.PER_SHEET.items()], default="8")
    language = SelectField(_("Language"), choices=LANGUAGES)
    start = WholeNumber(_("First free place on the sheet"), [Optional(), NumberRange(1, 10)])

    @classmethod
    def of(cls, kind: str, values: Any = None) -> PrintForm:
        """The form for a kind of paper, from what was sent (or asked in the address); else with the reader's language."""
        data = {"language": language()}
        form = cls(formdata=values, data=data) if values is not None else cls(formdata=None, data=data)
        if kind != "badges":
            del form.per_sheet, form.start
        for part in form:
            part.id = f"{kind}-{part.id}"
            part.label.field_id = part.id
        return form

    def options(self) -> dict[str, Any]:
        """What was chosen, as the makers of papers read it."""
        chosen: dict[str, Any] = {"paper": self.paper.data, "language": self.language.data}
        if self.per_sheet is not None:
            per_sheet = int(self.per_sheet.data)
            chosen |= {"per_sheet": per_sheet, "start": min((self.start.data or 1) - 1, per_sheet - 1)}
        return chosen


class RevokeForm(Form):
    reason = Line(_("Why it is revoked"), [InputRequired()], most=200)
