"""The words for the choices of this feature."""

from consult_app.i18n import _
from consult_app.registrations.models import Attendance, ParticipantRole, QuestionKind, RegistrationState, Sex, Source

SEX = {
    Sex.FEMALE: _("Female"),
    Sex.MALE: _("Male"),
    Sex.OTHER: _("Other"),
    Sex.UNDISCLOSED: _("Prefer not to say"),
}
ATTENDANCE = {Attendance.IN_PERSON: _("In person"), Attendance.ONLINE: _("Online")}
STATE = {
    RegistrationState.PENDING: _("Waiting for approval"),
    RegistrationState.REFUSED: _("Not approved"),
    RegistrationState.CONFIRMED: _("Registered"),
    RegistrationState.WAITING: _("Waiting list"),
    RegistrationState.CANCELLED: _("Cancelled"),
    RegistrationState.REPLACED: _("Replaced"),
}
TONE = {
    RegistrationState.PENDING: "accent",
    RegistrationState.REFUSED: "danger",
    RegistrationState.CONFIRMED: "success",
    RegistrationState.WAITING: "warning",
    RegistrationState.CANCELLED: "danger",
    RegistrationState.REPLACED: "neutral",
}
ROLE = {
    ParticipantRole.PARTICIPANT: _("Participant"),
    ParticipantRole.SPEAKER: _("Speaker"),
    ParticipantRole.MODERATOR: _("Moderator"),
    ParticipantRole.FACILITATOR: _("Facilitator"),
    ParticipantRole.RAPPORTEUR: _("Rapporteur"),
    ParticipantRole.ORGANISER: _("Organiser"),
    ParticipantRole.ASSISTANT: _("Personal assistant"),
}
SOURCE = {
    Source.PUBLIC: _("Public form"),
    Source.ORGANISER: _("Organiser"),
    Source.IMPORT: _("Imported"),
    Source.WALK_IN: _("Walk-in"),
    Source.REPLACEMENT: _("Replacement"),
    Source.INVITATION: _("Invitation"),
}
QUESTION_KIND = {
    QuestionKind.TEXT: _("Text"),
    QuestionKind.CHOICE: _("One of several choices"),
    QuestionKind.MULTIPLE: _("Any of several choices"),
    QuestionKind.NUMBER: _("Number"),
    QuestionKind.DATE: _("Date"),
    QuestionKind.YES_NO: _("Yes or no"),
    QuestionKind.CONSENT: _("Agreement"),
}
YES_NO = {"yes": _("Yes"), "no": _("No")}
