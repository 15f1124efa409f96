"""Forms of comments, positions and answers."""

from __future__ import annotations

from collections.abc import Sequence
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
    seen = HiddenField(validators=[Length(max=64)])  # the answer that stood when the page was made, as `Comment.answer_state` says it
    kind = RadioField(_("Answer"), [InputRequired()], choices=choices(DispositionKind, labels.DISPOSITION))
    response = Block(_("Reason, as the author will read it"), [Optional()], most=10_000)
    duplicate_of = WholeNumber(_("Number of the other comment"), [Optional()])


def _reasons(prefix: str, languages: Sequence[str]) -> dict[str, Any]:
    """A field for the reason in each of these languages, and which they are."""
    fields: dict[str, Any] = {"languages": tuple(languages)}
    for code in languages:
        label = _("Reason, for the authors who read %(language)s", language=LANGUAGE.get(code, code))
        fields[f"{prefix}_{code}"] = Block(label, [Optional()], most=10_000)
    return fields


class TogetherForm(DecideForm):
    """One answer for several comments, in each language in which one of the authors is written to."""

    @classmethod
    def of(cls, languages: Sequence[str], **more: Any) -> Any:
        """The form with a reason in each of these languages; in one, it is the field `response`."""
        made = cls if len(languages) < 2 else type(cls.__name__, (cls,), _reasons("response", languages))
        return made(**more)

    languages: tuple[str, ...] = ()

    def words(self) -> dict[str, str]:
        """The reason by language; "" is that of all."""
        return {code: self[f"response_{code}"].data or "" for code in self.languages} or {"": self.response.data or ""}


class MergeForm(Form):
    stays = RadioField(_("The comment that stays"), [InputRequired()])
    words = Block(_("Reason, as the authors will read it"), [Optional()], most=10_000)

    languages: tuple[str, ...] = ()

    @classmethod
    def of(cls, languages: Sequence[str], **more: Any) -> Any:
        """The form with the reason in each of these languages, where there are several."""
        made = cls if len(languages) < 2 else type(cls.__name__, (cls,), _reasons("words", languages))
        return made(**more)

    def said(self) -> dict[str, str]:
        """The reason by language; "" is that of all."""
        return {code: self[f"words_{code}"].data or "" for code in self.languages} or {"": self.words.data or ""}


class AssignForm(Form):
    institution = SelectField(_("Responsible institution"), [Optional()])
    due_on = DateField(_("Due"), [Optional()])


class ObjectForm(Form):
    text = Block(_("Why you object"), [InputRequired()], most=2_000)


class ResolveForm(Form):
    resolution = Block(_("How it was resolved"), [InputRequired()], most=2_000)
