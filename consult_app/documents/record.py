"""The official record (berita acara), prefilled: number, date in words, parties, numbered agreements, annexes, signatures.

It records what a meeting did. It never says that a State or an institution endorses every finding.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app.attendance.queries import participation
from consult_app.consultations.models import FocalPoint
from consult_app.db import db
from consult_app.documents import queries, spelled
from consult_app.documents.lists import basis_words
from consult_app.documents.minutes import BLANK, place_of
from consult_app.documents.models import Letterhead
from consult_app.documents.word import Paper
from consult_app.events.models import Event
from consult_app.i18n import gettext, local

Party = tuple[str, str, str]  # name, position, institution


def parties(event: Event, letterhead: Letterhead) -> list[Party]:
    """Who signs: the signatory of the letterhead, and one focal point of each institution; at least two blocks."""
    first = next(iter(queries.heading(event, letterhead)), "")
    found = [(letterhead.signatory_name, local(letterhead.signatory_position), first)]
    named = db.session.scalars(
        select(FocalPoint)
        .where(FocalPoint.consultation_id == event.consultation_id)
        .options(joinedload(FocalPoint.user))
        .order_by(FocalPoint.id)
    )
    seen: set[str] = set()
    for focal in named:
        if focal.institution and focal.institution not in seen:
            seen.add(focal.institution)
            found.append((focal.user.name, gettext("Focal point"), focal.institution))
    return found if len(found) > 1 else [*found, ("", "", "")]


def _agreements(event: Event) -> list[str]:
    """What the register knows, and room for what was agreed."""
    basis = queries.basis_of(event)
    total = participation(event, basis).total
    came = (
        gettext("The meeting was attended by %(people)s people from %(institutions)s institutions; the attendance sheet is annexed.")
        if basis == "arrived"
        else gettext(
            "%(people)s people from %(institutions)s institutions were registered for the meeting; the attendance sheet is annexed."
        )
    )
    return [
        came % {"people": total.total, "institutions": total.institutions},
        gettext(
            "The sections of the draft report were presented and discussed; "
            "comments and answers are in the comment matrix, which is annexed."
        ),
        gettext("Comments that were not accepted, or accepted in part, stand in the matrix with the reason."),
        BLANK * 3,
        BLANK * 3,
    ]


def official_record(event: Event, letterhead: Letterhead) -> bytes:
    """A DOCX in the reader's language."""
    title = gettext("Official record")
    paper = Paper(f"{title} – {local(event.title)}", queries.heading(event, letterhead))
    paper.title(title, [local(event.title), gettext("Number: %(number)s", number=BLANK)])
    paper.line(
        gettext(
            "On %(date)s, at %(place)s, the meeting “%(event)s” of the consultation “%(consultation)s” was held. "
            "The parties to this record are:",
            date=_dates(event),
            place=place_of(event) or letterhead.place or BLANK,
            event=local(event.title),
            consultation=local(event.consultation.title),
        )
    )
    signing = parties(event, letterhead)
    header = [gettext("No."), gettext("Name"), gettext("Position"), gettext("Institution")]
    paper.table(header, [[n, *(part or BLANK for part in party)] for n, party in enumerate(signing, start=1)], (12, 48, 45, 55))
    paper.line(gettext("The parties record the following:"))
    for number, words in enumerate(_agreements(event), start=1):
        paper.line(spelled.ordinal(number), bold=True)
        paper.line(words)
    paper.line(basis_words(queries.basis_of(event)), muted=True)
    paper.heading(gettext("Unresolved points"))
    paper.blanks(3)
    paper.heading(gettext("What this record is not"))
    paper.line(
        gettext(
            "This record says what the meeting did. It does not mean that a State or an institution endorses every finding of the report."
        )
    )
    paper.heading(gettext("Annexes"))
    for number, words in enumerate((gettext("Attendance sheet"), gettext("Comment matrix"), gettext("Minutes")), start=1):
        paper.line(f"{number}. {words}")
    paper.heading(gettext("Signatures"))
    paper.signatures([_block(party, number) for number, party in enumerate(signing, start=1)])
    return paper.bytes()


def _dates(event: Event) -> str:
    first = spelled.date(event.starts_on)
    return first if event.starts_on == event.ends_on else gettext("%(first)s to %(last)s", first=first, last=spelled.date(event.ends_on))


def _block(party: Party, number: int) -> list[str]:
    name, position, institution = party
    return [
        gettext("Party %(number)s", number=number),
        institution or BLANK,
        gettext("(stamp and signature)"),
        "",
        "",
        gettext("Name: %(line)s", line=name or BLANK),
        gettext("Position: %(line)s", line=position or BLANK),
        gettext("ID number: %(line)s", line=BLANK),
        "",
    ]
