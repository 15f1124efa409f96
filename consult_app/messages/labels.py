"""Words for the states of a mail."""

from consult_app.i18n import _
from consult_app.mail import MailState

MAIL_STATE = {MailState.QUEUED: _("waiting"), MailState.SENDING: _("being sent"), MailState.SENT: _("sent"), MailState.FAILED: _("failed")}
MAIL_TONE = {MailState.QUEUED: "neutral", MailState.SENDING: "neutral", MailState.SENT: "success", MailState.FAILED: "danger"}
PLACEHOLDERS = {
    "name": _("the person's name with titles"),
    "institution": _("their institution"),
    "event": _("the title of the event"),
    "date": _("its day or days"),
    "time": _("when it begins"),
    "venue": _("where it is"),
}
