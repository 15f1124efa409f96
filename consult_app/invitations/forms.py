"""Forms of invitations: the organiser's, and those of somebody invited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField, EmailField, HiddenField, RadioField, SelectField, ValidationError
from wtforms.validators import Email, InputRequired, Length, NumberRange, Optional

from consult_app.addresses import address_key
from consult_app.events.models import Event, EventMode
from consult_app.forms import Form, Line, WholeNumber, choices
from consult_app.i18n import _, gettext, local
from consult_app.invitations import labels
from consult_app.invitations.actions import Guest
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.registrations import labels as people_labels
from consult_app.registrations import question_fields
from consult_app.registrations.answers import Given
from consult_app.registrations.models import Attendance, Purpose, Question, QuestionKind, Registration, Sex, StakeholderType
from consult_app.registrations.people import Details
from consult_app.registrations.phones import e164
from consult_app.registrations.questions import questions_of

_NAMING = ("salutation", "title_before", "name", "title_after", "position")


class _WithPhone(Form):
    """A form whose phone number is put into international form with the country's default."""

    phone = Line(_("WhatsApp number"), [Optional()], most=40)

    _region = "ID"

    def validate_phone(self, phone: Line) -> None:
        if phone.data:
            try:
                phone.data = e164(phone.data, self._region)
            except ValueError:
                raise ValidationError(_("This is not a phone number. Write it as +62 812 3456 7890.")) from None


class InvitationForm(_WithPhone):
    """One invitation, typed by an organiser."""

    kind = RadioField(_("Who is invited"), [InputRequired()], choices=choices(InvitationKind, labels.KIND))
    institution = Line(_("Institution"), [InputRequired()], description=_("In full, as on a letterhead."))
    stakeholder_type = SelectField(_("Stakeholder type"), [InputRequired()])
    seats = WholeNumber(
        _("How many delegates"), [Optional(), NumberRange(1, 1000)], description=_("Of an institution. Empty means no limit of its own.")
    )
    salutation = Line(_("Salutation"), description=_("Mr, Mrs, Bapak, Ibu …"), most=40)
    title_before = Line(_("Academic title before the name"), most=60)
    name = Line(_("Name"), description=_("Of the person, or of the institution’s contact, which may be empty."))
    title_after = Line(_("Academic title after the name"), most=60)
    position = Line(_("Position"))
    sex = RadioField(_("Sex"), choices=choices(Sex, people_labels.SEX), default=Sex.UNDISCLOSED.value)
    email = EmailField(_("E-mail address"), [Optional(), Email(), Length(max=200)], filters=[address_key])
    language = RadioField(_("Language of the invitation"), [InputRequired()], choices=[("en", "English"), ("id", "Bahasa Indonesia")])

    _types: dict[str, StakeholderType]

    @classmethod
    def of(cls, event: Event, types: list[StakeholderType], invitation: EventInvitation | None = None) -> InvitationForm:
        if invitation is None:
            form = cls(data={"language": event.consultation.languages[0], "kind": InvitationKind.INSTITUTION.value})
        else:
            values = {name: getattr(invitation, name) for name in (*_NAMING, "seats", "sex", "email", "phone", "language")}
            place = invitation.institution
            form = cls(data={**values, "institution": local(place.name), "stakeholder_type": place.stakeholder_type.code})
            del form.kind
            if invitation.kind is InvitationKind.PERSON:
                del form.seats
        form._types = {kind.code: kind for kind in types}
        form._region = event.consultation.territory[:2]
        form.stakeholder_type.choices = [("", _("Choose one")), *((kind.code, local(kind.name)) for kind in types)]
        form._is_person = invitation is not None and invitation.kind is InvitationKind.PERSON
        return form

    _is_person = False

    def validate_name(self, name: Line) -> None:
        is_person = self._is_person if self.kind is None else self.kind.data == InvitationKind.PERSON.value
        if is_person and not name.data:
            raise ValidationError(gettext("A person is invited by name."))

    def guest(self) -> Guest:
        """What was typed, for the actions."""
        person = self.kind is None or self.kind.data == InvitationKind.PERSON.value
        return Guest(
            **{name: self[name].data or "" for name in (*_NAMING, "institution", "email", "phone")},
            kind=InvitationKind.PERSON if person else InvitationKind.INSTITUTION,
            stakeholder_type=self._types[self.stakeholder_type.data],
            seats=self.seats.data if self.seats is not None else None,
            sex=Sex(self.sex.data or Sex.UNDISCLOSED),
            language=self.language.data,
        )


def _code_of(question: Question) -> str:
    """A stakeholder type that is asked this question: the form has no others on it."""
    return question.stakeholder_type_codes[0] if question.stakeholder_type_codes else ""


class _PersonForm(_WithPhone):
    """The few facts of one person that a place at an event needs."""

    client_key = HiddenField(validators=[Length(max=64)])
    title_before = Line(_("Academic title before the name"), most=60)
    name = Line(_("Name"), [InputRequired()], description=_("As it should stand on a certificate. One word is enough."))
    title_after = Line(_("Academic title after the name"), most=60)
    position = Line(_("Position"))
    sex = RadioField(_("Sex"), [InputRequired()], choices=choices(Sex, people_labels.SEX), description=_("For figures by sex only."))
    email = EmailField(
        _("E-mail address"), [Optional(), Email(), Length(max=200)], filters=[address_key], description=_("The ticket is sent here.")
    )
    attendance = RadioField(_("Takes part"), [InputRequired()], choices=choices(Attendance, people_labels.ATTENDANCE))

    questions: Sequence[Question] = ()

    @classmethod
    def at(cls, event: Event, questions: Sequence[Question] = (), **data: Any) -> Any:
        """The form at an event, with those of its questions that are asked here."""
        made, _answered = question_fields.fields(event, questions, (), None)
        form: Any = type(cls.__name__, (cls,), made)(data=data)
        form.questions = questions
        form._region = event.consultation.territory[:2]
        if event.mode is not EventMode.HYBRID:
            del form.attendance
        return form

    @staticmethod
    def asked_of(invitation: EventInvitation) -> list[Question]:
        """The organiser's questions to the stakeholder type of the institution."""
        code = invitation.institution.stakeholder_type.code
        return [q for q in questions_of(invitation.event) if not q.stakeholder_type_codes or code in q.stakeholder_type_codes]

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        left_out = [q for q in self.questions if question_fields.missing(self, [q], _code_of(q))]  # each of them is marked
        return valid and not left_out

    def answers(self) -> Given:
        """What was answered to the organiser's questions."""
        return {q: values for q in self.questions for values in question_fields.given(self, [q], _code_of(q)).values()}

    def details(self, invitation: EventInvitation) -> Details:
        online = invitation.event.mode is EventMode.ONLINE
        chosen = self.attendance.data if self.attendance is not None else Attendance.ONLINE if online else Attendance.IN_PERSON
        plain: dict[str, Any] = {name: self[name].data or "" for name in ("title_before", "name", "title_after", "position", "phone")}
        return Details(
            **plain,
            email=(self.email.data or "") if self.email is not None else "",
            institution="",
            stakeholder_type=invitation.institution.stakeholder_type,
            sex=Sex(self.sex.data),
            attendance=Attendance(chosen),
            language=invitation.language,
        )


class AcceptForm(_PersonForm):
    """What somebody invited confirms; consents are asked one by one, unticked, in the words of the public form."""

    accommodations = Line(
        _("What do you need to take part well?"), description=_("A ramp, a sign interpreter, large print … Never a diagnosis.")
    )
    taking_part = BooleanField(
        _("I agree that these details are used to organise this event."), [InputRequired(_("Without this we cannot register you."))]
    )
    photo = BooleanField(_("I agree that photos and recordings may show me."))
    follow_up = BooleanField(_("I agree to be written to about the follow-up of this consultation."))

    @classmethod
    def of(cls, invitation: EventInvitation, client_key: str) -> AcceptForm:
        names = ("title_before", "name", "title_after", "position", "phone")
        values = {name: getattr(invitation, name) for name in names}
        sex = None if invitation.sex is Sex.UNDISCLOSED else invitation.sex.value  # unknown is asked, not assumed
        form: AcceptForm = cls.at(invitation.event, cls.asked_of(invitation), **values, sex=sex, client_key=client_key)
        if invitation.email:
            del form.email  # the one that was invited: it is who they are
        return form

    def details(self, invitation: EventInvitation) -> Details:
        details = super().details(invitation)
        details.salutation, details.accommodations = invitation.salutation, self.accommodations.data or ""
        return details

    def consents(self) -> dict[Purpose, bool]:
        return {Purpose.TAKING_PART: self.taking_part.data, Purpose.PHOTO: self.photo.data, Purpose.FOLLOW_UP: self.follow_up.data}


class DelegateForm(_PersonForm):
    """One of an institution's people, named by its contact."""

    informed = BooleanField(
        _("They know that I register them, and agree that these details are used to organise this event."),
        [InputRequired(_("Please ask them first."))],
    )

    @classmethod
    def of(cls, invitation: EventInvitation, client_key: str) -> DelegateForm:
        """A new delegate; what asks for a consent is for the delegate alone to answer, by their own link."""
        asked = [q for q in cls.asked_of(invitation) if q.kind is not QuestionKind.CONSENT]
        form: DelegateForm = cls.at(invitation.event, asked, client_key=client_key)
        return form

    @classmethod
    def instead_of(cls, old: Registration, client_key: str) -> DelegateForm:
        form: DelegateForm = cls.at(old.event, client_key=client_key)
        if form.attendance is not None:
            del form.attendance  # the seat stays as it is
        return form


class ColleagueForm(_WithPhone):
    """The colleague to whom an invitation is passed on."""

    name = Line(_("Name of your colleague"), [InputRequired()])
    position = Line(_("Position"))
    email = EmailField(_("E-mail address"), [Optional(), Email(), Length(max=200)], filters=[address_key])

    def validate(self, extra_validators: Any = None) -> bool:
        valid = bool(super().validate(extra_validators))
        if not self.email.data and not self.phone.data:
            self.email.errors = [gettext("Give an e-mail address or a WhatsApp number, so that we can reach them.")]
            return False
        return valid

    def guest(self, invitation: EventInvitation) -> Guest:
        return Guest(
            kind=InvitationKind.PERSON,
            institution="",
            stakeholder_type=invitation.institution.stakeholder_type,
            name=self.name.data or "",
            position=self.position.data or "",
            email=self.email.data or "",
            phone=self.phone.data or "",
        )


class DeclineForm(Form):
    reason = Line(_("Why, if you like to say so"), most=300)
