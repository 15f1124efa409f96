"""The words of a room's state, and of what was done with it."""

from consult_app.i18n import _
from consult_app.room.models import RoomState

STATE = {
    RoomState.WAITING: _("Not started"),
    RoomState.RUNNING: _("Running"),
    RoomState.PAUSED: _("Paused"),
    RoomState.CLOSED: _("Closed"),
}
TONE = {RoomState.WAITING: "neutral", RoomState.RUNNING: "success", RoomState.PAUSED: "warning", RoomState.CLOSED: "neutral"}
# the log's name of a step -> how the console tells it
STEP = {
    "room.open": _("Opened by %(name)s, %(time)s"),
    "room.start": _("Started by %(name)s, %(time)s"),
    "room.pause": _("Paused by %(name)s, %(time)s"),
    "room.close": _("Ended by %(name)s, %(time)s"),
    "room.show": _("Moved on by %(name)s, %(time)s"),
    "room.allow": _("Comments or positions opened or closed by %(name)s, %(time)s"),
    "room.moderate": _("Moderation changed by %(name)s, %(time)s"),
    "room.pin": _("Screen changed by %(name)s, %(time)s"),
    "room.time": _("Time given by %(name)s, %(time)s"),
    "room.report": _("Notes kept by %(name)s, %(time)s"),
}
# suggestions for why a comment is held back; any other words will do
HELD = (
    _("It names or describes a person."),
    _("It is not about this indicator."),
    _("It says the same as another comment."),
    _("Its words may hurt somebody."),
)
