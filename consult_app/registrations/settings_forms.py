"""Forms of the settings of registration: seats, quotas and targets, stakeholder types, questions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from wtforms import BooleanField, DateTimeLocalField, SelectField, SelectMultipleField, ValidationError
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from consult_app.events.models import Event
from consult_app.forms import Block, Form, TextsField, WholeNumber, choices
from consult_app.i18n import Texts, _, gettext, local
from consult_app.registrations import labels
from consult_app.registrations.models import Question, QuestionKind, Quota, StakeholderType
from consult_app.registrations.questions import WITH_OPTIONS, QuestionDetails
from consult_app.registrations.settings import Settings


def _number(label: Any, most: int = 100_000, **more: Any) -> WholeNumber:
    return WholeNumber(label, [Optional(), NumberRange(0, most, _("A whole number from %(min)s to %(max)s."))], **more)


class SettingsForm(Form):
    """One event's settings; `of` adds seats and target of each type, and seats of each dimension group."""

    capacity = _number(_("Seats in the room"), description=_("Empty: no limit. Assistants and people online do not count."))
    registration_opens_at = DateTimeLocalField(_("Opens"), [Optional()], description=_("Empty: as soon as the event is published."))
    registration_closes_at = DateTimeLocalField(_("Closes"), [Optional()], description=_("Empty: when the event ends."))
    needs_approval = BooleanField(_("An organiser approves everybody who registers on the public page"))
    women_target = _number(_("Women, in per cent of those registered"), most=100)

    types: list[StakeholderType]
    groups: list[Any]

    @classmethod
    def of(cls, event: Event, types: list[StakeholderType], quotas: list[Quota]) -> Any:
        """The form of an event, with what stands."""
        fields: dict[str, Any] = {}
        for kind in types:
            fields[f"seats_{kind.id}"] = _number(_("Seats"))
            fields[f"target_{kind.id}"] = _number(_("Target"))
        for dimension in event.consultation.dimensions:
            fields[f"group_{dimension.id}"] = _number(_("Seats"))
        data: dict[str, Any] = {name: getattr(event, name) for name in ("capacity", "needs_approval", "women_target")}
        for name in ("registration_opens_at", "registration_closes_at"):
            moment = getattr(event, name)
            data[name] = moment.astimezone(event.zone).replace(tzinfo=None) if moment else None
        for quota in quotas:
            if quota.stakeholder_type_id:
                data |= {f"seats_{quota.stakeholder_type_id}": quota.seats, f"target_{quota.stakeholder_type_id}": quota.target}
            else:
                data[f"group_{quota.dimension_id}"] = quota.seats
        form = type("EventSettingsForm", (cls,), fields)(data=data)
        form.types, form.groups = types, event.consultation.dimensions
        return form

    def settings(self, event: Event) -> Settings:
        """What was given, in the event's own zone."""

        def moment(value: dt.datetime | None) -> dt.datetime | None:
            return value.replace(tzinfo=event.zone) if value else None

        return Settings(
            capacity=self.capacity.data,
            registration_opens_at=moment(self.registration_opens_at.data),
            registration_closes_at=moment(self.registration_closes_at.data),
            needs_approval=bool(self.needs_approval.data),
            women_target=self.women_target.data,
            types={kind.id: (self[f"seats_{kind.id}"].data, self[f"target_{kind.id}"].data) for kind in self.types},
            groups={group.id: self[f"group_{group.id}"].data for group in self.groups},
        )


class TypeForm(Form):
    """The name of a stakeholder type."""

    name = TextsField(_("Name"), required=True)

    def texts(self) -> Texts:
        """Both languages, one standing in for the other."""
        given = {code: words for code, words in self.name.data.items() if words}
        any_words = next(iter(given.values()))
        return {"en": given.get("en", any_words), "id": given.get("id", any_words)}


class QuestionForm(Form):
    """One question. Choices stand one on a line: "English | Bahasa Indonesia | seats"; the last two may be left out."""

    kind = SelectField(
        _("Kind of answer"), [InputRequired()], choices=[("", _("Choose one")), *choices(QuestionKind, labels.QUESTION_KIND)]
    )
    label = TextsField(_("Question"), required=True)
    hint = TextsField(_("Hint"))
    is_required = BooleanField(_("Has to be answered"))
    options = Block(
        _("Choices"),
        [Optional()],
        most=8000,
        description=_("One on each line: English | Bahasa Indonesia | seats. Bahasa and seats may be left out."),
    )
    stakeholder_type_codes = SelectMultipleField(
        _("Only for"),
        [Optional()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_("None ticked means everybody."),
    )

    _standing: list[dict[str, Any]]

    @classmethod
    def of(cls, types: list[StakeholderType], question: Question | None = None) -> Any:
        """The form, filled from a question when one is given."""
        data: dict[str, Any] = {}
        if question is not None:
            data = {name: getattr(question, name) for name in ("label", "hint", "is_required", "stakeholder_type_codes")}
            data |= {"kind": question.kind.value, "options": "\n".join(_line(option) for option in question.options)}
        form = cls(data=data)
        form._standing = question.options if question is not None else []
        form.stakeholder_type_codes.choices = [(kind.code, local(kind.name)) for kind in types]
        return form

    def validate_options(self, options: Block) -> None:
        if self.kind.data in {kind.value for kind in WITH_OPTIONS}:
            found = self.parsed()
            names = [option["name"]["en"].casefold() for option in found]
            if len(set(names)) < len(names):
                raise ValidationError(gettext("A choice stands here twice."))

    def parsed(self) -> list[dict[str, Any]]:
        """The choices; one that stood here before under the same name keeps its key, so that its answers stay with it."""
        keys = {words.casefold(): option["key"] for option in self._standing for words in option["name"].values()}
        found = []
        for line in (self.options.data or "").splitlines():
            parts = [part.strip()[:200] for part in line.split("|")]
            if not parts[0]:
                continue
            indonesian = parts[1] if len(parts) > 1 and parts[1] else parts[0]
            seats = parts[2] if len(parts) > 2 else ""
            if seats and not (seats.isascii() and seats.isdigit() and len(seats) < 7):
                raise ValidationError(gettext("“%(line)s”: the seats are not a number.", line=line[:80]))
            key = keys.get(parts[0].casefold()) or keys.get(indonesian.casefold())
            option: dict[str, Any] = {"name": {"en": parts[0], "id": indonesian}, "seats": int(seats) if seats else None}
            found.append(option | ({"key": key} if key else {}))
        return found

    def details(self) -> QuestionDetails:
        """What was given, for the actions."""
        return QuestionDetails(
            kind=QuestionKind(self.kind.data),
            label=self.label.data,
            hint=self.hint.data,
            is_required=bool(self.is_required.data),
            options=self.parsed(),
            stakeholder_type_codes=list(self.stakeholder_type_codes.data or []),
        )


def _line(option: dict[str, Any]) -> str:
    name = option["name"]
    return " | ".join([name.get("en", ""), name.get("id", ""), *([str(option["seats"])] if option.get("seats") is not None else [])])
