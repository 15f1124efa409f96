"""The words of a room's state."""

from consult_app.i18n import _
from consult_app.room.models import RoomState

STATE = {
    RoomState.WAITING: _("Not started"),
    RoomState.RUNNING: _("Running"),
    RoomState.PAUSED: _("Paused"),
    RoomState.CLOSED: _("Closed"),
}
TONE = {RoomState.WAITING: "neutral", RoomState.RUNNING: "success", RoomState.PAUSED: "warning", RoomState.CLOSED: "neutral"}
