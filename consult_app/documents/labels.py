"""The words for the choices of this feature."""

from consult_app.documents.models import PrintState
from consult_app.i18n import _

PAPER = {"a4": _("A4"), "letter": _("Letter")}
PER_SHEET = {4: "4 (96 × 134 mm)", 6: "6 (96 × 90 mm)", 8: "8 (96 × 66 mm)", 10: "10 (90 × 53 mm)"}
BASIS = {"arrived": _("Arrived"), "registered": _("Registered")}
PRINT_KIND = {"badges": _("Badges"), "tent-cards": _("Tent cards"), "certificates": _("Certificates of attendance")}
PRINT_STATE = {PrintState.QUEUED: _("Being made"), PrintState.DONE: _("Ready"), PrintState.FAILED: _("Failed")}
PRINT_TONE = {PrintState.QUEUED: "accent", PrintState.DONE: "success", PrintState.FAILED: "danger"}
