"""Forms of comments, positions and answers."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, HiddenField, MultipleFileField, RadioField, SelectField, URLField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from consult_app.comments import labels
from consult_app.comments.models import CommentKind, DispositionKind, PositionValue
from consult_app.consultations.labels import LANGUAGE
from consult_app.forms import Block, Form, WholeNumber, choices, clean, one_line
from consult_app.i18n import _

FILES = _("At most three, of 10 MB each: PDF, a picture (PNG, JPEG, WebP), or an office file (DOCX, XLSX, PPTX, ODT, ODS).")


class CommentForm(Form):
    client_key = HiddenField(validators=[InputRequired(), Length(max=64)])
    kind = SelectField(_("Kind"), choices=choices(CommentKind, labels.KIND), default=CommentKind.CORRECTION.value)
    text = Block(_("Your comment"), [InputRequired(_("Write your comment first."))], most=10_000)
    proposed = Block(_("Wording you propose"), [Optional()], most=10_000)
    proposed_language = SelectField(_("It edits the text in"))
    link = URLField(_("Link to evidence"), [Optional(), Length(max=500)], filters=[one_line])
    files = MultipleFileField(_("Files of evidence"), [Optional()], description=FILES)

    @classmethod
    def of(cls, languages: list[str], reader: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        """The form for a text in these languages; a proposed wording edits the reader's unless they say otherwise."""
        form = cls(data={"proposed_language": reader if reader in languages else languages[0], **(data or {})}, **more)
        form.proposed_language.choices = [(code, LANGUAGE.get(code, code)) for code in languages]
        return form


class DraftForm(Form):
    """What is typed so far, as it is: only its length is judged."""

    client_key = HiddenField(validators=[InputRequired(), Length(max=64)])
    kind = HiddenField(validators=[Length(max=40)])
    text = HiddenField(validators=[Length(max=10_000)])
    proposed = HiddenField(validators=[Length(max=10_000)])
    proposed_language = HiddenField(validators=[Length(max=10)])
    link = HiddenField(validators=[Length(max=500)])
    revision = HiddenField(validators=[Length(max=64)])  # the public id of the one that was shown when it was begun
    age = WholeNumber(validators=[Optional(), NumberRange(0, 30 * 24 * 3600 * 1000)])  # milliseconds since the last keystroke

    def validate(self, extra_validators: Any = None) -> bool:
        for name in ("text", "proposed", "link"):
            self[name].data = clean(self[name].data)
        return bool(super().validate(extra_validators))


class RecordForm(CommentForm):
    """A comment that was spoken in the room, written down by a rapporteur."""

    speaker = SelectField(_("Who spoke"), [InputRequired()])


class EvidenceForm(Form):
    files = MultipleFileField(_("Files of evidence"), [InputRequired(_("Choose a file first."))], description=FILES)


class ReplyForm(Form):
    client_key = HiddenField(validators=[InputRequired(), Length(max=64)])
    text = Block(_("Your reply"), [InputRequired(_("Write your reply first."))], most=5_000)


class PositionForm(Form):
    value = RadioField(_("What do you hold of it?"), [InputRequired()], choices=choices(PositionValue, labels.POSITION))
    reason = Block(_("Why"), [Optional()], most=2_000)


class DecideForm(Form):
    kind = RadioField(_("Answer"), [InputRequired()], choices=choices(DispositionKind, labels.DISPOSITION))
    response = Block(_("Reason, as the author will read it"), [Optional()], most=10_000)
    duplicate_of = WholeNumber(_("Number of the other comment"), [Optional()])


class MergeForm(Form):
    stays = RadioField(_("The comment that stays"), [InputRequired()])
    words = Block(_("Reason, as the authors will read it"), [Optional()], most=10_000)


class AssignForm(Form):
    institution = SelectField(_("Responsible institution"), [Optional()])
    due_on = DateField(_("Due"), [Optional()])


class ObjectForm(Form):
    text = Block(_("Why you object"), [InputRequired()], most=2_000)


class ResolveForm(Form):
    resolution = Block(_("How it was resolved"), [InputRequired()], most=2_000)
