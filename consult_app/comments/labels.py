"""The words for the choices of this feature."""

from consult_app.comments.models import CommentKind, DispositionKind, PositionValue
from consult_app.i18n import _

KIND = {
    CommentKind.CORRECTION: _("Correction of a fact"),
    CommentKind.EVIDENCE: _("Further evidence"),
    CommentKind.WORDING: _("Wording"),
    CommentKind.CONTEXT: _("Context"),
    CommentKind.RECOMMENDATION: _("Recommendation"),
    CommentKind.QUESTION: _("Question"),
}
POSITION = {
    PositionValue.AGREE: _("Agree"),
    PositionValue.RESERVATION: _("Agree with reservation"),
    PositionValue.DISAGREE: _("Disagree"),
    PositionValue.ABSTAIN: _("Abstain"),
}
POSITION_ICON = {
    PositionValue.AGREE: "thumb-up",
    PositionValue.RESERVATION: "message-dots",
    PositionValue.DISAGREE: "thumb-down",
    PositionValue.ABSTAIN: "circle-minus",
}
DISPOSITION = {
    DispositionKind.ACCEPTED: _("Accepted"),
    DispositionKind.ACCEPTED_IN_PART: _("Accepted in part"),
    DispositionKind.NOTED: _("Noted"),
    DispositionKind.NOTED_NOT_SUITED: _("Noted, not suited to the context at present"),
    DispositionKind.NOT_ACCEPTED: _("Not accepted"),
    DispositionKind.OUT_OF_SCOPE: _("Out of scope"),
    DispositionKind.DUPLICATE: _("Duplicate of another"),
}
DISPOSITION_TONE = {
    DispositionKind.ACCEPTED: "success",
    DispositionKind.ACCEPTED_IN_PART: "success",
    DispositionKind.NOTED: "accent",
    DispositionKind.NOTED_NOT_SUITED: "accent",
    DispositionKind.NOT_ACCEPTED: "warning",
    DispositionKind.OUT_OF_SCOPE: "neutral",
    DispositionKind.DUPLICATE: "neutral",
}
REVIEW_STATE = {
    "open": _("Without an answer"),
    "answered": _("Answered"),
    "revision": _("Accepted, waiting for a revision"),
    "objection": _("With an open objection"),
    "drafted": _("With a draft answer"),
    "second": _("Waiting for a second person"),
    "overdue": _("Overdue"),
}
