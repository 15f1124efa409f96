"""Words for requests and for what is kept how long."""

from consult_app.i18n import _
from consult_app.privacy.models import RequestKind, RequestState
from consult_app.registrations.models import Purpose

KIND = {
    RequestKind.ERASE: _("Erase my data"),
    RequestKind.CORRECT: _("Correct something I cannot change myself"),
    RequestKind.RESTRICT: _("Do not use my data for now"),
    RequestKind.OTHER: _("Something else"),
}
STATE = {RequestState.OPEN: _("open"), RequestState.DONE: _("done"), RequestState.REFUSED: _("refused")}
TONE = {RequestState.OPEN: "warning", RequestState.DONE: "success", RequestState.REFUSED: "neutral"}
PURPOSE = {
    Purpose.TAKING_PART: _("organising the event"),
    Purpose.PHOTO: _("photos and recordings"),
    Purpose.FOLLOW_UP: _("writing to you about the follow-up"),
}
KEPT = {
    "needs": _("Diet and accessibility needs, after the event"),
    "answers": _("Answers to the organiser's own questions, after the event"),
    "invitations": _("Names and addresses on invitation lists, after the event"),
    "contact": _("E-mail addresses and phone numbers of those who did not agree to follow-up, after the event"),
    "mails": _("Addresses in the list of mails, after sending"),
    "uploads": _("Uploaded lists that were neither saved nor dropped"),
    "drafts": _("What you typed and did not send"),
}
