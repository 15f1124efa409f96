"""Forms of comments, positions and answers."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, RadioField, SelectField, URLField
from wtforms.validators import InputRequired, Length, Optional

from consult_app.comments import labels
from consult_app.comments.models import CommentKind, DispositionKind, PositionValue
from consult_app.forms import Block, Form, choices, one_line
from consult_app.i18n import _


class CommentForm(Form):
    client_key = HiddenField(validators=[InputRequired(), Length(max=64)])
    kind = SelectField(_("Kind"), choices=choices(CommentKind, labels.KIND), default=CommentKind.CORRECTION.value)
    text = Block(_("Your comment"), [InputRequired(_("Write your comment first."))], most=10_000)
    proposed = Block(_("Wording you propose"), [Optional()], most=10_000)
    link = URLField(_("Link to evidence"), [Optional(), Length(max=500)], filters=[one_line])


class RecordForm(CommentForm):
    """A comment that was spoken in the room, written down by a rapporteur."""

    speaker = SelectField(_("Who spoke"), [InputRequired()])


class PositionForm(Form):
    value = RadioField(_("What do you hold of it?"), [InputRequired()], choices=choices(PositionValue, labels.POSITION))
    reason = Block(_("Why"), [Optional()], most=2_000)


class DecideForm(Form):
    kind = RadioField(_("Answer"), [InputRequired()], choices=choices(DispositionKind, labels.DISPOSITION))
    response = Block(_("Reason, as the author will read it"), [Optional()], most=10_000)
    duplicate_of = IntegerField(_("Number of the other comment"), [Optional()])


class ObjectForm(Form):
    text = Block(_("Why you object"), [InputRequired()], most=2_000)


class ResolveForm(Form):
    resolution = Block(_("How it was resolved"), [InputRequired()], most=2_000)
