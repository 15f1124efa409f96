"""The words for the choices of this feature."""

from collections.abc import Sequence

from consult_app.comments.models import CommentKind, DispositionKind, PositionValue
from consult_app.comments.queries import Held, RevisionRow
from consult_app.i18n import _, gettext, moment, ngettext

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


def taken_on(rows: Sequence[RevisionRow]) -> str:
    """On which revisions positions were taken, with how many on each where there are several: "on revision 1: 8, on revision 2: 3"."""
    if len(rows) == 1:
        return revisions(rows[0])
    return ", ".join(f"{revisions(row)}: {row.total}" for row in rows)


def as_of(held: Held, zone: str) -> str:
    """When positions were told that may not be told as they come, and of how many what they hold is not told yet; else nothing."""
    if held.told_at is None:
        return ""
    words = str(gettext("As of %(when)s.", when=moment(held.told_at, zone)))
    if held.since:
        more = ngettext(
            "%(num)s more since, not broken down yet, so that nobody can be singled out.",
            "%(num)s more since, not broken down yet, so that nobody can be singled out.",
            held.since,
        )
        words += f" {more}"
    return words


def not_told(held: Held) -> str:
    """What stands in the place of positions that may not be broken down."""
    if held.people is None:
        return str(gettext("Fewer than three people have taken a position so far."))
    return str(
        ngettext(
            "%(num)s person has taken a position. What they hold is not broken down, so that nobody can be singled out.",
            "%(num)s people have taken a position. What they hold is not broken down, so that nobody can be singled out.",
            held.people,
        )
    )


def revisions(row: RevisionRow) -> str:
    """ "on revision 1", "on revisions 1, 2"."""
    numbers: str = ngettext(
        "on revision %(numbers)s", "on revisions %(numbers)s", len(row.numbers), numbers=", ".join(map(str, row.numbers))
    )
    return numbers
