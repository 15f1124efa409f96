"""The words for the choices of this feature."""

from consult_app.events.models import EventKind, EventMode, EventState, SessionKind
from consult_app.i18n import _

KIND = {
    EventKind.COORDINATION: _("Coordination meeting"),
    EventKind.FGD: _("Focus group discussion (FGD)"),
    EventKind.VALIDATION: _("Validation workshop"),
    EventKind.OTHER: _("Other meeting"),
}
STATE = {EventState.DRAFT: _("Draft"), EventState.PUBLISHED: _("Published"), EventState.CANCELLED: _("Cancelled")}
TONE = {EventState.DRAFT: "neutral", EventState.PUBLISHED: "success", EventState.CANCELLED: "danger"}
MODE = {EventMode.IN_PERSON: _("In person"), EventMode.ONLINE: _("Online"), EventMode.HYBRID: _("In person and online")}
SESSION_KIND = {
    SessionKind.OPENING: _("Opening"),
    SessionKind.PLENARY: _("Plenary"),
    SessionKind.GROUP: _("Working groups"),
    SessionKind.BREAK: _("Break"),
    SessionKind.CLOSING: _("Closing"),
}
