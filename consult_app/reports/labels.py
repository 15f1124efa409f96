"""The words for the choices of this feature."""

from consult_app.consultations.labels import LANGUAGE
from consult_app.i18n import _, gettext
from consult_app.reports.models import ReportState
from consult_app.reports.queries import Known
from consult_app.reports.verify import Finding, Verdict

STATE = {ReportState.QUEUED: _("Being sealed"), ReportState.SEALED: _("Sealed"), ReportState.FAILED: _("Failed")}
TONE = {ReportState.QUEUED: "accent", ReportState.SEALED: "success", ReportState.FAILED: "danger"}
VERDICT = {
    Verdict.VALID: _("Yes, this is the report as it was sealed"),
    Verdict.SUPERSEDED: _("This is a sealed report, but a later one has taken its place"),
    Verdict.WITHDRAWN: _("This is a sealed report, but it was withdrawn"),
    Verdict.CERTIFICATE: _("Yes, this is a certificate of attendance as it is issued here"),
    Verdict.REVOKED: _("This certificate of attendance was revoked"),
    Verdict.ALTERED: _("No, this file is not as it was sealed"),
    Verdict.UNKNOWN: _("This file is not a report sealed here"),
}
FILE = {"docx": "DOCX", "xlsx": "XLSX", "csv": "CSV (ZIP)", "json": "JSON"}  # the same facts in other forms


# the same of a file that was published with a sealed report
BESIDE = {
    Verdict.VALID: _("Yes, this file was published with a sealed report, and is unchanged"),
    Verdict.SUPERSEDED: _("This file was published with a sealed report, but a later one has taken its place"),
    Verdict.WITHDRAWN: _("This file was published with a sealed report, but that was withdrawn"),
}


def headline(finding: Finding) -> str:
    """The answer in one line."""
    is_beside = finding.known is not None and (finding.known.kind != "pdf" or finding.known.member)
    return str(BESIDE[finding.verdict] if is_beside else VERDICT[finding.verdict])


def file_words(known: Known) -> str:
    """Which of the files of a report something is, and what vouches for it."""
    if known.member:
        within = gettext("sealed PDF") if known.kind == "pdf" else FILE[known.kind]
        return gettext("It is %(name)s, which is enclosed in the %(file)s of this report. Its bytes are those that were recorded.",
                       name=known.member, file=within)  # fmt: skip
    if known.kind == "pdf":
        return gettext("Its bytes are those that were sealed, and the seal is valid and covers the whole file.")
    return gettext("It is the %(file)s that is published beside the sealed PDF. It carries no seal; its bytes are those that were recorded "
                   "when the report was sealed.", file=FILE[known.kind])  # fmt: skip


def language_name(code: str) -> str:
    """The name of a language, or of several in one report ("en+id")."""
    return " + ".join(LANGUAGE.get(one, one) for one in code.split("+"))


VERDICT_TONE = {
    Verdict.VALID: "success",
    Verdict.SUPERSEDED: "warning",
    Verdict.WITHDRAWN: "warning",
    Verdict.CERTIFICATE: "success",
    Verdict.REVOKED: "danger",
    Verdict.ALTERED: "danger",
    Verdict.UNKNOWN: "danger",
}
