"""The words and colours of the desk's answers (product.md rule 7)."""

from collections.abc import Sequence

from consult_app.attendance.models import DeviceKind, ScanResult
from consult_app.attendance.queries import Participation
from consult_app.i18n import _, gettext, moment

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


def told_words(tables: Sequence[Participation], zone: str) -> list[str]:
    """What is said below tables that tell only what may be told to anybody: why, and as of when."""
    if not any(table.is_suppressed for table in tables):
        return []
    words = [
        gettext(
            "Stakeholder types are shown separately only where no number of one or two people can be worked out. "
            "“–” stands for what is not shown."
        )
    ]
    words += [gettext("By type and sex as of %(when)s.", when=moment(table.told_at, zone)) for table in tables if table.told_at is not None]
    return [str(one) for one in words]
