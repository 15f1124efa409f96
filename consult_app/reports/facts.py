"""Everything a report says, read once: its sections, signatures, participation, comments and the head of the log.

The report and its manifest are both made from these facts, so that their numbers agree (product.md rule 23).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from consult_app import audit
from consult_app.attendance.queries import Participation, must_suppress, participation
from consult_app.comments.attribution import must_suppress as must_hide_positions
from consult_app.comments.heat import HeatRow, heat_map, how_many
from consult_app.comments.models import Comment
from consult_app.comments.queries import WITH, review
from consult_app.consultations.models import Consultation, Revision, Section
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.events.queries import events_of
from consult_app.reports.models import SignedPaper
from consult_app.reports.papers import current_papers
from consult_app.signoff.models import SignOff
from consult_app.signoff.standing import Place, is_validated, places_of, sections_of


@dataclass(frozen=True)
class Chapter:
    """A section with its current revision (None: there is none yet) and its required signatures."""

    section: Section
    revision: Revision | None
    places: list[Place]
    papers: list[SignedPaper]  # scans of signatures by hand, for the current revision

    @property
    def is_signed(self) -> bool:
        return is_validated(self.section, self.places)

    @property
    def standing(self) -> list[SignOff]:
        """The sign-offs that stand on the current revision, in the order of the focal points."""
        return [place.sign_off for place in self.places if place.stands and place.sign_off is not None]


@dataclass(frozen=True)
class Meeting:
    """An event, and who was registered and who arrived: different numbers (rule 9)."""

    event: Event
    registered: Participation
    arrived: Participation


@dataclass(frozen=True)
class Facts:
    consultation: Consultation
    chapters: list[Chapter]
    meetings: list[Meeting]
    comments: list[Comment]
    heat: list[HeatRow]  # positions on every indicator
    positions: int  # how many count; those on indicators of which fewer than three could be read are left out
    log_number: int
    log_hash: str

    @property
    def is_validated(self) -> bool:
        """Whether every section is validated (`standing.is_validated`)."""
        return bool(self.chapters) and all(chapter.is_signed for chapter in self.chapters)

    @property
    def validated_at(self) -> dt.datetime | None:
        """When the last required sign-off was given."""
        return max(sign_off.created_at for c in self.chapters for sign_off in c.standing) if self.is_validated else None

    @property
    def reservations(self) -> list[SignOff]:
        return [sign_off for chapter in self.chapters for sign_off in chapter.standing if sign_off.has_reservation]

    @property
    def answered(self) -> int:
        return sum(comment.disposition is not None for comment in self.comments)

    @property
    def framework_indicators(self) -> int:
        """All indicators of the framework, those of sections without a revision too."""
        return len(self.heat)

    @property
    def indicators(self) -> int:
        """The indicators that this report prints."""
        return sum(len(chapter.revision.content["indicators"]) for chapter in self.chapters if chapter.revision is not None)


def chapters_of(consultation: Consultation) -> list[Chapter]:
    """The sections as they now stand, in order."""
    sections = sections_of(consultation)
    places, papers = places_of(sections), current_papers(consultation)
    return [Chapter(section, section.revision, places[section.id], papers.get(section.id, [])) for section in sections]


def gather(consultation: Consultation) -> Facts:
    """Read the facts as they now stand. What the public may not see is left out here, not in the pages (rule 11)."""
    hide = must_suppress(consultation, frozenset())
    meetings = [
        Meeting(event, participation(event, "registered", suppress=hide), participation(event, "arrived", suppress=hide))
        for event in events_of(consultation)
        if event.is_public and not event.is_cancelled
    ]
    comments = sorted(db.session.scalars(review(consultation, {}).options(*WITH)), key=lambda comment: comment.number)
    head = db.session.scalar(select(audit.AuditHead).where(audit.AuditHead.chain == str(consultation.id)))
    _types, heat = heat_map(consultation, suppress=must_hide_positions(consultation.attribution, frozenset()))
    log = (head.number, head.hash) if head else (0, audit.START)
    return Facts(consultation, chapters_of(consultation), meetings, comments, heat, how_many(heat), *log)


def binding(chapters: list[Chapter]) -> list[dict[str, Any]]:
    """What the report binds: per section the revision, its SHA-256 and the sign-offs that stand on it."""
    return [
        {
            "number": chapter.section.number,
            "title": chapter.section.title,
            "revision": chapter.revision.number if chapter.revision is not None else 0,
            "sha256": chapter.revision.sha256 if chapter.revision is not None else "",
            "sign_offs": [
                {
                    "id": sign_off.public_id,
                    "name": sign_off.signer_name,
                    "title": sign_off.signer_title,
                    "institution": sign_off.institution,
                    "decision": sign_off.decision.value,
                    "reservation": sign_off.text,
                    "at": sign_off.created_at.isoformat(),
                }
                for sign_off in chapter.standing
            ],
            "papers": [{"sha256": paper.sha256, "kept_at": paper.created_at.isoformat()} for paper in chapter.papers],
        }
        for chapter in chapters
    ]


def figures(facts: Facts) -> dict[str, Any]:
    """The counts of the report: a number that must not be told is None."""
    return {
        "sections": len(facts.chapters),
        "indicators": facts.indicators,
        "comments": len(facts.comments),
        "answered": facts.answered,
        "reservations": len(facts.reservations),
        "positions": facts.positions,
        "events": [
            {"event": meeting.event.public_id, "registered": meeting.registered.total.total, "arrived": meeting.arrived.total.total}
            for meeting in facts.meetings
        ],
    }


def manifest(facts: Facts) -> dict[str, Any]:
    """What is kept beside the file: all that it was made from."""
    log = {"chain": str(facts.consultation.id), "number": facts.log_number, "hash": facts.log_hash}
    return {"sections": binding(facts.chapters), "figures": figures(facts), "log": log}
