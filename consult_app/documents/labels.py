"""The words for the choices of this feature."""

from consult_app.documents.models import PrintState
from consult_app.i18n import _

PAPER = {"a4": _("A4"), "letter": _("Letter")}
PER_SHEET = {
    4: _("4 on a sheet: 96 × 134 mm, code 42 mm"),
    6: _("6 on a sheet: 96 × 90 mm, code 32 mm"),
    8: _("8 on a sheet: 96 × 66 mm, code 27 mm"),
    10: _("10 on a sheet: 90 × 53 mm, code 25 mm"),
}
BASIS = {"arrived": _("Arrived"), "registered": _("Registered")}
PRINT_KIND = {"badges": _("Badges"), "tent-cards": _("Tent cards"), "certificates": _("Certificates of attendance")}
PRINT_STATE = {PrintState.QUEUED: _("Being made"), PrintState.DONE: _("Ready"), PrintState.FAILED: _("Failed")}
PRINT_TONE = {PrintState.QUEUED: "accent", PrintState.DONE: "success", PrintState.FAILED: "danger"}
