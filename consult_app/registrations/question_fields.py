"""The organiser's questions as fields of a registration form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, DateField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from consult_app.events.models import Event
from consult_app.forms import Line, WholeNumber
from consult_app.i18n import _, gettext, local
from consult_app.registrations import labels
from consult_app.registrations.answers import Given
from consult_app.registrations.limits import field_name, full_options, option_names
from consult_app.registrations.models import Question, QuestionKind, Registration, StakeholderType


def _hint(question: Question, types: Sequence[StakeholderType]) -> str:
    """The hint, and who is asked where it is not everybody."""
    names = [local(kind.name) for kind in types if kind.code in question.stakeholder_type_codes]
    only = gettext("Only for: %(names)s.", names=", ".join(names)) if names else ""
    return " ".join(part for part in (local(question.hint), only) if part)


class _Asked(Optional):  # type: ignore[misc]
    """Left empty it is judged by `missing`, which knows who is asked; the label says that it is needed."""

    def __init__(self) -> None:
        super().__init__()
        self.field_flags = {"required": True}


def _field(question: Question, types: Sequence[StakeholderType], full: set[tuple[int, str]], mine: Sequence[str]) -> Any:
    kind, label, names = question.kind, local(question.label), {"description": _hint(question, types)}
    asked = [_Asked()] if question.is_required and not question.stakeholder_type_codes else [Optional()]
    options: list[tuple[Any, ...]] = [
        (key, gettext("%(choice)s (full)", choice=words), {"disabled": True})
        if (question.id, key) in full and key not in mine
        else (key, words)
        for key, words in option_names(question)
    ]
    if kind is QuestionKind.CHOICE:
        return SelectField(label, asked, choices=[("", _("Choose one")), *options], **names)
    if kind is QuestionKind.MULTIPLE:
        boxes = {"widget": ListWidget(prefix_label=False), "option_widget": CheckboxInput()}
        return SelectMultipleField(label, asked, choices=options, **boxes, **names)
    if kind is QuestionKind.NUMBER:
        return WholeNumber(label, [*asked, NumberRange(-1_000_000_000, 1_000_000_000)], **names)
    if kind is QuestionKind.DATE:
        return DateField(label, asked, **names)
    if kind is QuestionKind.YES_NO:
        return RadioField(label, asked, choices=list(labels.YES_NO.items()), **names)
    if kind is QuestionKind.CONSENT:
        return BooleanField(label, **names)
    return Line(label, asked, most=1000, **names)


def fields(
    event: Event, questions: Sequence[Question], types: Sequence[StakeholderType], registration: Registration | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields by their names, and what a registration has answered already."""
    mine: dict[int, list[str]] = {}
    for answer in registration.answers if registration is not None else ():
        mine.setdefault(answer.question_id, []).append(answer.value)
    full = full_options(event, questions, registration)
    made = {field_name(question): _field(question, types, full, mine.get(question.id, [])) for question in questions}
    data = {field_name(question): _typed(question, mine[question.id]) for question in questions if question.id in mine}
    return made, data


def _typed(question: Question, values: list[str]) -> Any:
    if question.kind is QuestionKind.MULTIPLE:
        return values
    if question.kind is QuestionKind.NUMBER:
        return int(values[0])
    if question.kind is QuestionKind.DATE:
        return dt.date.fromisoformat(values[0])
    if question.kind is QuestionKind.CONSENT:
        return values[0] == "yes"
    return values[0]


def given(form: Any, questions: Sequence[Question], type_code: str) -> Given:
    """What was answered to the questions that are asked of this stakeholder type."""
    found: Given = {}
    for question in questions:
        data = form[field_name(question)].data
        asked = not question.stakeholder_type_codes or type_code in question.stakeholder_type_codes
        if not asked:
            values = []
        elif question.kind is QuestionKind.CONSENT:
            values = ["yes" if data else "no"]
        elif question.kind is QuestionKind.MULTIPLE:
            values = list(dict.fromkeys(data or []))
        else:
            values = [str(data)] if data not in (None, "") else []
        found[question] = values
    return found


def missing(form: Any, questions: Sequence[Question], type_code: str) -> bool:
    """Mark the required questions that were left out; whether there are any."""
    found = False
    for question, values in given(form, questions, type_code).items():
        asked = not question.stakeholder_type_codes or type_code in question.stakeholder_type_codes
        if asked and question.is_required and (not values or (question.kind is QuestionKind.CONSENT and values == ["no"])):
            field = form[field_name(question)]
            field.errors = [*field.errors, gettext("This has to be answered.")]
            found = True
    return found
