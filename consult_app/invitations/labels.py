"""The words for the choices of this feature."""

from consult_app.i18n import _
from consult_app.invitations.models import Channel, InvitationKind, InvitationState

KIND = {
    InvitationKind.INSTITUTION: _("An institution, which names its delegates"),
    InvitationKind.PERSON: _("A person"),
}
STATE = {
    InvitationState.DRAFT: _("Not sent yet"),
    InvitationState.SENT: _("No answer yet"),
    InvitationState.ACCEPTED: _("Accepted"),
    InvitationState.DECLINED: _("Declined"),
    InvitationState.DELEGATED: _("Passed on"),
    InvitationState.WITHDRAWN: _("Withdrawn"),
}
TONE = {
    InvitationState.DRAFT: "neutral",
    InvitationState.SENT: "warning",
    InvitationState.ACCEPTED: "success",
    InvitationState.DECLINED: "danger",
    InvitationState.DELEGATED: "accent",
    InvitationState.WITHDRAWN: "neutral",
}
CHANNEL = {Channel.MAIL: _("Mail"), Channel.WHATSAPP: _("WhatsApp"), Channel.LETTER: _("Printed letter")}
REACH = {
    Channel.MAIL: _("has an e-mail address"),
    Channel.WHATSAPP: _("only a phone: send by WhatsApp"),
    Channel.LETTER: _("no address: print a letter"),
}
