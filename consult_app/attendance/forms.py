"""Forms of the desk."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, EmailField, HiddenField, RadioField, SelectField
from wtforms.validators import Email, InputRequired, Length, Optional

from consult_app.attendance import labels as labels_of_desk
from consult_app.attendance.models import DeviceKind
from consult_app.events.models import Event
from consult_app.forms import Form, Line, choices, one_line
from consult_app.i18n import _, gettext, local
from consult_app.registrations import labels
from consult_app.registrations.actions import Details
from consult_app.registrations.models import Sex, StakeholderType


class WalkInForm(Form):
    """The least that the attendance sheet and the table need."""

    nonce = HiddenField(validators=[Length(max=64)])
    name = Line(_("Name"), [InputRequired()])
    institution = Line(_("Institution"), [InputRequired()])
    stakeholder_type = SelectField(_("Stakeholder type"), [InputRequired()])
    sex = RadioField(_("Sex"), [InputRequired()], choices=choices(Sex, labels.SEX))
    email = EmailField(
        _("E-mail address"),
        [Optional(), Email(), Length(max=200)],
        filters=[one_line],
        description=_("For the ticket and the personal link."),
    )

    _types: dict[str, StakeholderType]

    @classmethod
    def of(cls, event: Event, types: list[StakeholderType], **data: Any) -> WalkInForm:
        form = cls(data=data)
        form._types = {kind.code: kind for kind in types}
        form.stakeholder_type.choices = [("", _("Choose one")), *((kind.code, local(kind.name)) for kind in types)]
        return form

    def details(self, event: Event) -> Details:
        return Details(
            name=self.name.data or "",
            institution=self.institution.data or "",
            stakeholder_type=self._types[self.stakeholder_type.data],
            sex=Sex(self.sex.data),
            email=self.email.data or "",
            language=event.consultation.languages[0],
        )


class UndoForm(Form):
    reason = Line(_("Why it is undone"), [InputRequired()])


class DeviceForm(Form):
    name = Line(_("Name of the device"), [InputRequired()], description=_("As everybody will see it: “Desk 1”, “Entrance left”."))
    kind = RadioField(_("What it is for"), [InputRequired()], choices=[(kind.value, words) for kind, words in labels_of_desk.KIND.items()])
    asks_signature = BooleanField(
        _("Ask everybody to sign on the screen"),
        description=_("The drawing goes onto the attendance sheet. It is an electronic signature without a certificate."),
    )

    @classmethod
    def of(cls, number: int) -> DeviceForm:
        return cls(data={"name": gettext("Desk %(number)s", number=number), "kind": DeviceKind.DESK.value})
