"""The words for the choices of this feature."""

from consult_app.i18n import _
from consult_app.outcomes.models import FollowUpStatus, StepKind

STEP = {
    StepKind.COMMENTS_CLOSED: _("Comments closed"),
    StepKind.COUNTERPART_ACCEPTED: _("Counterpart has accepted the report"),
    StepKind.CONSENT_GIVEN: _("Consent to publication given"),
    StepKind.PUBLISHED: _("Published"),
}
STEP_HINT = {
    StepKind.COMMENTS_CLOSED: _("Every section has closed its comments."),
    StepKind.COUNTERPART_ACCEPTED: _("The government counterpart accepts the validated report as a whole."),
    StepKind.CONSENT_GIVEN: _("The counterpart agrees that it is made public. Accepting it does not yet mean that."),
    StepKind.PUBLISHED: _("The sealed report is listed on the first page of this site."),
}
STATUS = {
    FollowUpStatus.OPEN: _("Not begun"),
    FollowUpStatus.IN_PROGRESS: _("In progress"),
    FollowUpStatus.DONE: _("Done"),
    FollowUpStatus.DROPPED: _("Dropped"),
}
TONE = {
    FollowUpStatus.OPEN: "neutral",
    FollowUpStatus.IN_PROGRESS: "accent",
    FollowUpStatus.DONE: "success",
    FollowUpStatus.DROPPED: "neutral",
}
SHOWN = {"open": _("Not done yet"), "late": _("Overdue"), "over": _("Done or dropped")}
