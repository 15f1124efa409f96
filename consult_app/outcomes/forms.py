"""Forms of recorded steps and follow-ups."""

from __future__ import annotations

from wtforms import DateField, EmailField, RadioField, SelectField, URLField
from wtforms.validators import Email, InputRequired, Length, Optional

from consult_app.addresses import address_key
from consult_app.consultations.models import Consultation
from consult_app.forms import Block, Form, Line, TextsField, choices, one_line
from consult_app.i18n import _, gettext, local
from consult_app.outcomes import labels
from consult_app.outcomes.models import FollowUp, FollowUpStatus
from consult_app.registrations.models import Institution
from consult_app.registrations.queries import institutions


class StepForm(Form):
    happened_on = DateField(_("On which day"), [InputRequired()])
    decided_by = Line(_("Who decided it"), [InputRequired()])
    note = Block(_("Note, such as the number of a letter"), [Optional()], most=2_000)


class UndoStepForm(Form):
    reason = Block(_("Why it is taken back"), [InputRequired()], most=2_000)


class FollowUpForm(Form):
    text = TextsField(_("What is to be done"), long=True, required=True)
    institution = SelectField(_("Responsible institution"), [Optional()])
    contact = EmailField(_("Address to remind"), [Optional(), Email(), Length(max=200)], filters=[address_key])
    due_on = DateField(_("Until when"), [Optional()])

    @classmethod
    def of(cls, consultation: Consultation, row: FollowUp | None = None) -> FollowUpForm:
        """The form, with the institutions of the consultation to choose from."""
        known = {}
        if row is not None:
            owner = row.institution.public_id if row.institution is not None else ""
            known = {"text": row.text, "institution": owner, "contact": row.contact, "due_on": row.due_on}
        form = cls(data=known)
        form._institutions = {one.public_id: one for one in institutions(consultation)}
        form.institution.choices = [("", gettext("Nobody yet")), *((key, local(one.name)) for key, one in form._institutions.items())]
        return form

    @property
    def owner(self) -> Institution | None:
        found: Institution | None = self._institutions.get(self.institution.data)
        return found


class ProgressForm(Form):
    status = RadioField(_("How it stands"), [InputRequired()], choices=choices(FollowUpStatus, labels.STATUS))
    text = Block(_("What was done, or why not"), [Optional()], most=4_000)
    link = URLField(_("Link to evidence"), [Optional(), Length(max=500)], filters=[one_line])
