"""The words for the choices of this feature."""

from consult_app.consultations.labels import LANGUAGE
from consult_app.i18n import _
from consult_app.reports.models import ReportState
from consult_app.reports.verify import Verdict

STATE = {ReportState.QUEUED: _("Being sealed"), ReportState.SEALED: _("Sealed"), ReportState.FAILED: _("Failed")}
TONE = {ReportState.QUEUED: "accent", ReportState.SEALED: "success", ReportState.FAILED: "danger"}
VERDICT = {
    Verdict.VALID: _("Yes, this is the report as it was sealed"),
    Verdict.SUPERSEDED: _("This is a sealed report, but a later one has taken its place"),
    Verdict.ALTERED: _("No, this file is not as it was sealed"),
    Verdict.UNKNOWN: _("This file is not a report sealed here"),
}
FILE = {"docx": "DOCX", "xlsx": "XLSX", "csv": "CSV (ZIP)", "json": "JSON"}  # the same facts in other forms


def language_name(code: str) -> str:
    """The name of a language, or of several in one report ("en+id")."""
    return " + ".join(LANGUAGE.get(one, one) for one in code.split("+"))


VERDICT_TONE = {Verdict.VALID: "success", Verdict.SUPERSEDED: "warning", Verdict.ALTERED: "danger", Verdict.UNKNOWN: "danger"}
