"""The registration form of domain.md: never an ID number, a birth date or a religion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import BooleanField, EmailField, HiddenField, RadioField, SelectField, SelectMultipleField, ValidationError
from wtforms.validators import Email, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from consult_app.addresses import address_key
from consult_app.events.models import Event, EventMode
from consult_app.forms import Form, Line, choices
from consult_app.i18n import _, day, gettext, local
from consult_app.registrations import labels, question_fields
from consult_app.registrations.actions import Details, details_of
from consult_app.registrations.answers import Given
from consult_app.registrations.limits import full_groups
from consult_app.registrations.models import Attendance, ParticipantRole, Purpose, Question, Registration, Sex, StakeholderType
from consult_app.registrations.phones import normal_phone
from consult_app.registrations.questions import questions_of


def _filled(registration: Registration) -> dict[str, Any]:
    """The details of a registration, by the names of the form."""
    return vars(details_of(registration)) | {
        "stakeholder_type": registration.stakeholder_type.code,
        "institution": local(registration.institution.name),
        "dimension_id": str(registration.dimension_id or ""),
    }


class RegistrationForm(Form):
    """The details of one person; `RegistrationForm.of(event, types)` knows the event's own choices."""

    stakeholder_type = SelectField(_("You come for"), [InputRequired()])
    institution = Line(_("Institution"), [InputRequired()], description=_("In full, as on a letterhead."))
    unit = Line(_("Unit or directorate"))
    position = Line(_("Position"))
    salutation = Line(_("Salutation"), description=_("Mr, Mrs, Bapak, Ibu …"), most=40)
    title_before = Line(_("Academic title before the name"), most=60)
    name = Line(_("Name"), [InputRequired()], description=_("As it should stand on a certificate. One word is enough."))
    title_after = Line(_("Academic title after the name"), most=60)
    sex = RadioField(_("Sex"), [InputRequired()], choices=choices(Sex, labels.SEX), description=_("For figures by sex only."))
    email = EmailField(_("E-mail address"), [InputRequired(), Email(), Length(max=200)], filters=[address_key])
    phone = Line(_("WhatsApp number"), [Optional()], most=40)
    attendance = RadioField(_("You take part"), [InputRequired()], choices=choices(Attendance, labels.ATTENDANCE))
    days = SelectMultipleField(
        _("Days"),
        [Optional()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
        description=_("None ticked means all days."),
    )
    dimension_id = SelectField(_("Group you would like to join"), [Optional()])
    role = SelectField(_("Role"), choices=choices(ParticipantRole, labels.ROLE))
    assignment_letter = Line(_("Number of the assignment letter"))
    accommodations = Line(
        _("What do you need to take part well?"), description=_("A ramp, a sign interpreter, large print … Never a diagnosis.")
    )
    diet = Line(_("Diet"), most=100)
    language = RadioField(_("Language of mails to you"), choices=[("en", "English"), ("id", "Bahasa Indonesia")])

    questions: Sequence[Question] = ()
    _region = "ID"
    _types: dict[str, StakeholderType]

    @classmethod
    def of(cls, event: Event, types: list[StakeholderType], registration: Registration | None = None, **data: Any) -> Any:
        """The form for an event, filled from a registration when one is given."""
        questions = questions_of(event)
        made, answered = question_fields.fields(event, questions, types, registration)
        kept = {**_filled(registration), **answered, **data} if registration is not None else data
        form = type(cls.__name__, (cls,), made)(data=kept)
        form.questions = questions
        form._types = {kind.code: kind for kind in types}
        form._region = event.consultation.territory[:2]
        form.stakeholder_type.choices = [("", _("Choose one")), *((kind.code, local(kind.name)) for kind in types)]
        full = full_groups(event, registration) - ({registration.dimension_id} if registration is not None else set())
        names = {d.id: f"{d.number}. {local(d.name)}" for d in event.consultation.dimensions}
        groups: list[tuple[Any, ...]] = [
            (str(key), f"{name} ({gettext('full')})", {"disabled": True}) if key in full else (str(key), name)
            for key, name in names.items()
        ]
        form.dimension_id.choices = [("", _("No preference")), *groups]
        form.days.choices = [(value.isoformat(), day(value)) for value in event.days]
        if len(event.days) == 1:
            del form.days
        if event.mode is not EventMode.HYBRID:
            del form.attendance
        if not groups:
            del form.dimension_id
        return form

    def validate_phone(self, phone: Line) -> None:
        if phone.data:
            try:
                phone.data = normal_phone(phone.data, self._region)
            except ValueError:
                raise ValidationError(_("This is not a phone number. Write it as +62 812 3456 7890.")) from None

    def validate(self, extra_validators: Any = None) -> bool:
        """Also the organiser's own questions, of which some are only for some types."""
        valid = bool(super().validate(extra_validators))
        return not question_fields.missing(self, self.questions, self.stakeholder_type.data or "") and valid

    def answers(self) -> Given:
        """What was answered to the organiser's own questions."""
        return question_fields.given(self, self.questions, self.stakeholder_type.data or "")

    def details(self, event: Event) -> Details:
        """What was typed, for the actions."""
        online = event.mode is EventMode.ONLINE
        chosen = self.attendance.data if self.attendance is not None else Attendance.ONLINE if online else Attendance.IN_PERSON
        plain = ("name", "institution", "salutation", "title_before", "title_after", "phone", "unit", "position", "accommodations", "diet")
        return Details(
            **{name: self[name].data or "" for name in plain},
            stakeholder_type=self._types[self.stakeholder_type.data],
            email=(self.email.data if self.email is not None else "") or "",
            sex=Sex(self.sex.data),
            attendance=Attendance(chosen),
            days=list((self.days.data if self.days is not None else None) or []),
            dimension_id=int(self.dimension_id.data) if self.dimension_id is not None and self.dimension_id.data else None,
            role=ParticipantRole(self.role.data) if self.role is not None else ParticipantRole.PARTICIPANT,
            assignment_letter=self.assignment_letter.data or "",
            language=self.language.data or "en",
        )


class PublicRegistrationForm(RegistrationForm):
    """What anyone fills in on a phone; consents are asked one by one, unticked."""

    client_key = HiddenField(validators=[Length(max=64)])
    taking_part = BooleanField(
        _("I agree that these details are used to organise this event."), [InputRequired(_("Without this we cannot register you."))]
    )
    photo = BooleanField(_("I agree that photos and recordings may show me."))
    follow_up = BooleanField(_("I agree to be written to about the follow-up of this consultation."))

    @classmethod
    def of(cls, event: Event, types: list[StakeholderType], registration: Registration | None = None, **data: Any) -> Any:
        form = super().of(event, types, registration, **data)
        del form.role
        return form

    def consents(self) -> dict[Purpose, bool]:
        return {Purpose.TAKING_PART: self.taking_part.data, Purpose.PHOTO: self.photo.data, Purpose.FOLLOW_UP: self.follow_up.data}


class OwnRegistrationForm(PublicRegistrationForm):
    """What a participant changes by the personal link: everything but the e-mail, which is who they are."""

    email = None


class OrganiserRegistrationForm(RegistrationForm):
    """What an organiser fills in; somebody without an e-mail address is welcome too."""

    email = EmailField(_("E-mail address"), [Optional(), Email(), Length(max=200)], filters=[address_key])


class EditRegistrationForm(OrganiserRegistrationForm):
    """What an organiser changes: everything but the e-mail, since another address is another person, who can replace this one."""

    email = None
    from_beginning = BooleanField(
        _("It was so from the beginning"),
        description=_(
            "Tick this to mend a mistake: what they have commented and held so far is then shown under this institution and type too. "
            "Without it, only what they say from now on is. The record keeps that you did so."
        ),
    )


class ReplacementForm(Form):
    """The colleague who takes the seat."""

    title_before = Line(_("Academic title before the name"), most=60)
    name = Line(_("Name"), [InputRequired()])
    title_after = Line(_("Academic title after the name"), most=60)
    position = Line(_("Position"))
    sex = RadioField(_("Sex"), [InputRequired()], choices=choices(Sex, labels.SEX), description=_("For figures by sex only."))
    email = EmailField(_("E-mail address"), [InputRequired(), Email(), Length(max=200)], filters=[address_key])

    def details(self, old: Registration) -> Details:
        """The colleague, in the place of `old`."""
        given: dict[str, Any] = {name: self[name].data or "" for name in ("title_before", "name", "title_after", "position", "email")}
        return Details(**given, sex=self.sex.data, institution="", stakeholder_type=old.stakeholder_type, language=old.language)


class RefusalForm(Form):
    """Why somebody is not approved."""

    reason = Line(_("Reason"), [InputRequired()], description=_("They read it in a mail."))


class LinkForm(Form):
    """The secret of a personal link, put here by the page itself or pasted by hand."""

    token = Line(_("Your personal link, or the part after #"), [InputRequired()], most=500)


class JoinForm(Form):
    """The secret of a join code, put here by the page itself or pasted by hand."""

    token = Line(_("The address that the desk shows, or the part after #"), [InputRequired()], most=500)


class AgainForm(Form):
    """Whose links are to be sent again."""

    email = EmailField(_("E-mail address"), [InputRequired(), Email(), Length(max=200)], filters=[address_key])


class UploadForm(Form):
    """One spreadsheet."""

    file = FileField(_("Spreadsheet (XLSX or CSV)"), [FileRequired(_("Choose the file first."))])
