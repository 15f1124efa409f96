"""Forms of the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wtforms import HiddenField, SelectField
from wtforms.validators import InputRequired, Optional
from wtforms.widgets import HiddenInput

from consult_app.comments.forms import CommentForm
from consult_app.consultations.models import Indicator
from consult_app.forms import Block, Form, Line, WholeNumber
from consult_app.i18n import _, gettext, language, local
from consult_app.registrations.models import Registration
from consult_app.room.models import Room


class SpokenForm(CommentForm):
    """What somebody said in the room. Whoever searched for the speaker has other choices than the page was made with."""

    code = SelectField(_("Indicator"), [InputRequired()])
    speaker = SelectField(_("Who spoke"), [InputRequired(_("Choose who spoke."))], validate_choice=False)

    @classmethod
    def in_room(
        cls,
        room: Room,
        indicators: list[Indicator],
        people: list[tuple[Registration, bool]],
        shown: Mapping[str, Any],
        **data: Any,
    ) -> Any:
        """The form with its choices; `data` fills a fresh one."""
        form = cls.of(room.event.consultation.languages, language(), data, **({"formdata": None} if data else {}))
        form.code.choices = [(one.code, f"{one.code} {local(shown[one.code]['question'])[:60]}") for one in indicators]
        form.speaker.choices = [("", gettext("Choose one")), *((who.public_id, named(who, arrived)) for who, arrived in people)]
        return form


def named(who: Registration, arrived: bool) -> str:
    """Somebody as a list shows them."""
    words = f"{who.full_name} – {local(who.institution.name)}"
    return words if arrived else f"{words} ({gettext('not checked in')})"


class HoldForm(Form):
    """Why a comment is kept from the screens."""

    comment = HiddenField(validators=[InputRequired()])
    reason = Line(_("Reason, as the author will read it"), [InputRequired(_("Give the reason: the author reads it."))], most=500)


class NotesForm(Form):
    number = WholeNumber(widget=HiddenInput(), validators=[InputRequired()])
    notes = Block(_("What this group tells the plenary"), [Optional()], most=10_000)
