"""The words for the choices of this feature."""

from consult_app.i18n import _
from consult_app.signoff.models import Decision
from consult_app.signoff.standing import Standing

DECISION = {
    Decision.APPROVE: _("Approve"),
    Decision.RESERVATION: _("Approve with reservation"),
    Decision.RETURN: _("Return"),
}
# As it stands in the record, once decided; by the value that manifests keep.
DECIDED = {
    Decision.APPROVE.value: _("Approved"),
    Decision.RESERVATION.value: _("Approved with reservation"),
    Decision.RETURN.value: _("Returned"),
}
STANDING = {
    Standing.WAITING: _("Waiting for signature"),
    Standing.APPROVED: _("Approved"),
    Standing.RESERVATION: _("Approved with reservation"),
    Standing.RETURNED: _("Returned"),
    Standing.WITHDRAWN: _("Withdrawn"),
    Standing.STALE: _("Signed an earlier revision"),
}
TONE = {
    Standing.WAITING: "neutral",
    Standing.APPROVED: "success",
    Standing.RESERVATION: "success",
    Standing.RETURNED: "danger",
    Standing.WITHDRAWN: "danger",
    Standing.STALE: "warning",
}
# What every signature is called, and never more (product.md rule 24).
KIND = _("uncertified electronic signature")
