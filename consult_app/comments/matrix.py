"""The comment matrix out (domain.md): one row per comment, for a spreadsheet, a paper, and to be filled in and brought back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from docx.enum.section import WD_ORIENT
from docx.shared import Mm

from consult_app import policy
from consult_app.comments import labels, queries
from consult_app.comments.attribution import byline, reply_byline
from consult_app.comments.models import Attachment, Comment
from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import as_shown
from consult_app.db import db
from consult_app.documents.word import Paper
from consult_app.forms import clean
from consult_app.i18n import _, gettext, local, size

HEADER = (
    _("No."),
    _("Dimension"),
    _("Indicator"),
    _("Question"),
    _("Kind"),
    _("Comment"),
    _("Existing text"),
    _("Proposed wording"),
    _("Evidence"),
    _("Submitted by"),
    _("Endorsed by"),
    _("Replies"),
    _("Answer"),
    _("Response"),
    _("Carried by revision"),
    _("Made on revision"),
    _("The text has changed since"),
)
# for those who work on the answers; the last says what stood when the file was made, so that a stale row is noticed
DESK_HEADER = (_("Duplicate of No."), _("Responsible institution"), _("Due"), _("State"))
ANSWER_PLACE = 12  # of the answer in HEADER; the response is beside it
Filled = dict[str, str]


def header(*, desk: bool = False) -> list[str]:
    """The columns, in the reader's language."""
    return [str(words) for words in (*HEADER, *(DESK_HEADER if desk else ()))]


def file_label(file: Attachment) -> str:
    """A file as everybody may hear of it: its number and kind, never its own name."""
    return f"{gettext('Evidence %(number)s', number=file.number)} ({file.kind.value.upper()}, {size(file.size)})"


def evidence(comment: Comment) -> str:
    """The link and the files of a comment, as the matrix names them."""
    return "\n".join([*filter(None, [comment.link]), *(file_label(file) for file in comment.attachments)])


def filled(comment: Comment) -> Filled:
    """What of a comment can be filled in a spreadsheet, as it stands: without words of a language."""
    answer, assigned = comment.disposition, comment.assignment
    return {
        "kind": answer.kind.value if answer else "",
        "response": clean(answer.response) if answer else "",
        "duplicate_of": str(answer.duplicate_of.number) if answer and answer.duplicate_of else "",
        "owner": assigned.institution.public_id if assigned and assigned.institution else "",
        "due": assigned.due_on.isoformat() if assigned and assigned.due_on else "",
    }


LETTERS = "bcdfghjkmnpqrtvw"  # no vowel, so no word, month or exponent: no spreadsheet takes what is written with them for anything else


def state(number: int, values: Filled) -> str:
    """A short hash of what is filled in: another one means that a row was changed, here or there."""
    return _hash([number, *values.values()])


def cells_state(number: int, cells: Sequence[str]) -> str:
    """The same of the cells as they are written in the file: where it fits, nobody touched them, whatever they mean today."""
    return _hash([number, *(clean(cell).removeprefix("'") for cell in cells)])


def _hash(values: Sequence[int | str]) -> str:
    digest = hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]
    return "".join(LETTERS[int(figure, 16)] for figure in digest)


def rows(
    comments: Sequence[Comment], consultation: Consultation, held: frozenset[policy.Role], *, desk: bool = False
) -> Iterator[list[Any]]:
    """The rows, as somebody with these roles may see them."""
    endorsements = queries.endorsement_counts(list(comments))
    names = {dimension.id: local(dimension.name) for dimension in consultation.dimensions}
    questions = as_shown(consultation)
    for comment in comments:
        answer = comment.disposition
        row = [
            comment.number,
            f"{comment.section.number}. {names[comment.indicator.dimension_id]}",
            comment.indicator.code,
            local(questions[comment.indicator.code]["question"]),
            str(labels.KIND[comment.kind]),
            comment.text,
            comment.against,
            comment.proposed,
            evidence(comment),
            str(byline(comment, held)),
            endorsements.get(comment.id, 0),
            "\n".join(f"{reply_byline(reply, held)}: {reply.text}" for reply in comment.standing_replies),
            str(labels.DISPOSITION[answer.kind]) if answer else "",
            answer.response if answer else "",
            answer.revision.number if answer and answer.revision else "",
            comment.revision.number,
            gettext("yes") if comment.is_of_earlier_text else "",
        ]
        if desk:
            values, assigned = filled(comment), comment.assignment
            owner = local(assigned.institution.name) if assigned and assigned.institution else ""
            cells = [str(row[ANSWER_PLACE]), str(row[ANSWER_PLACE + 1]), values["duplicate_of"], owner, values["due"]]
            row += [*cells[2:], f"{state(comment.number, values)}-{cells_state(comment.number, cells)}"]
        yield row


def comments_of(consultation: Consultation, *, desk: bool = False) -> list[Comment]:
    """What the matrix has: what is shown to everybody, in its order; with `desk`, also what only those who answer see of it."""
    return list(db.session.scalars(queries.review(consultation, {}).options(*queries.WITH, *(queries.DESK if desk else ()))))


# the columns of the paper, by their place in HEADER, with their widths in millimetres (A4 across, 267 to fill)
ON_PAPER = ((0, 11), (2, 15), (4, 24), (5, 72), (7, 45), (9, 33), (12, 25), (13, 42))


def paper(consultation: Consultation, held: frozenset[policy.Role]) -> bytes:
    """The matrix as DOCX, on pages that lie across."""
    made = Paper(gettext("Comment matrix"), [local(consultation.title)])
    for part in made.file.sections:
        part.orientation, part.page_width, part.page_height = WD_ORIENT.LANDSCAPE, Mm(297), Mm(210)
        part.left_margin = part.right_margin = Mm(15)
    made.title(gettext("Comment matrix"))
    words, widths = header(), [width for _place, width in ON_PAPER]
    table = [[row[place] for place, _width in ON_PAPER] for row in rows(comments_of(consultation), consultation, held)]
    made.table([words[place] for place, _width in ON_PAPER], table, widths, size=8)
    return made.bytes()
