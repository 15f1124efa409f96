"""The words and colours of the desk's answers (product.md rule 7)."""

from consult_app.attendance.models import DeviceKind, ScanResult
from consult_app.i18n import _

WORD = {
    ScanResult.OK: _("Welcome"),
    ScanResult.ALREADY: _("Already checked in"),
    ScanResult.WRONG_EVENT: _("Wrong event"),
    ScanResult.WRONG_DAY: _("Wrong day"),
    ScanResult.CANCELLED: _("Cancelled"),
    ScanResult.WAITING_LIST: _("Waiting list"),
    ScanResult.PENDING: _("Not approved yet"),
    ScanResult.REFUSED: _("Not approved"),
    ScanResult.UNKNOWN: _("Unknown code"),
    ScanResult.REVOKED: _("Device revoked"),
}
# the look of the whole screen: see docs/look.md, "scan answer"
LOOK = {
    ScanResult.OK: "ok",
    ScanResult.ALREADY: "already",
    ScanResult.WRONG_EVENT: "refused",
    ScanResult.WRONG_DAY: "refused",
    ScanResult.CANCELLED: "refused",
    ScanResult.WAITING_LIST: "already",
    ScanResult.PENDING: "already",
    ScanResult.REFUSED: "refused",
    ScanResult.UNKNOWN: "unknown",
    ScanResult.REVOKED: "refused",
}
ICON = {"ok": "circle-check", "already": "info-circle", "refused": "circle-x", "unknown": "help-circle"}
# what an organiser may pair by a code; a program gets its token by `consult token create`
KIND = {
    DeviceKind.DESK: _("Desk: staff scan tickets"),
    DeviceKind.KIOSK: _("Kiosk: guests check themselves in"),
}
KIND_SHORT = {DeviceKind.DESK: _("Desk"), DeviceKind.KIOSK: _("Kiosk"), DeviceKind.APP: _("Program")}
