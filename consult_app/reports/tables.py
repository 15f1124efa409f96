"""The open data of a report: the same facts as the PDF, as tables (XLSX, CSV) and as one JSON document (product.md rule 22).

What the public may not see was left out when the facts were gathered, so the data tell no more than the PDF does.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from typing import Any

from consult_app.attendance.queries import Participation, ParticipationRow
from consult_app.comments.attribution import byline
from consult_app.comments.labels import DISPOSITION, KIND, POSITION
from consult_app.comments.models import Comment, PositionValue
from consult_app.consultations.labels import ANSWER
from consult_app.consultations.models import SECTION_PARTS
from consult_app.i18n import gettext, local
from consult_app.reports.facts import Facts, binding, figures
from consult_app.sheets import write_csv, write_xlsx
from consult_app.signoff.labels import DECIDED

Table = tuple[list[str], list[list[Any]]]
NOBODY = frozenset[Any]()  # as somebody without any role may see it (rule 11)


def _sections(facts: Facts) -> Table:
    header = [gettext("Section"), gettext("Title"), gettext("Revision"), "SHA-256", gettext("Part"), gettext("Text")]
    rows = []
    for chapter in facts.chapters:
        content = chapter.revision.content if chapter.revision is not None else {}
        number, digest = (chapter.revision.number, chapter.revision.sha256) if chapter.revision is not None else (0, "")
        for part in SECTION_PARTS:
            if words := local(content.get(part)):
                rows.append([chapter.section.number, local(chapter.section.title), number, digest, part, words])
    return header, rows


def _indicators(facts: Facts) -> Table:
    header = [gettext("Section"), gettext("Indicator"), gettext("Topic"), gettext("Question"), gettext("Answer"), gettext("Finding"),
              gettext("Evidence"), gettext("Link"), gettext("Responding institution")]  # fmt: skip
    rows = []
    for chapter in facts.chapters:
        for row in chapter.revision.content["indicators"] if chapter.revision is not None else []:
            answer = str(ANSWER.get(row["answer"], row["answer"]))
            words = [local(row["topic"]), local(row["question"]), answer, local(row["finding"])]
            rows.append([chapter.section.number, row["code"], *words, row["evidence"], row["link"], row["institution"]])
    return header, rows


def _comments(facts: Facts) -> Table:
    header = [gettext("No."), gettext("Section"), gettext("Indicator"), gettext("Kind"), gettext("Comment"), gettext("Proposed wording"),
              gettext("Evidence"), gettext("Submitted by"), gettext("Disposition"), gettext("Response"),
              gettext("Made on revision"), gettext("Carried by revision")]  # fmt: skip
    rows = []
    for comment in facts.comments:
        decided = comment.disposition
        what = [comment.number, comment.section.number, comment.indicator.code, str(KIND[comment.kind])]
        said = [comment.text, comment.proposed, comment.link, str(byline(comment, NOBODY))]
        answer = [str(DISPOSITION[decided.kind]) if decided else "", decided.response if decided else ""]
        carried = decided.revision.number if decided and decided.revision else ""
        rows.append([*what, *said, *answer, comment.revision.number, carried])
    return header, rows


def _positions(facts: Facts) -> Table:
    header = [gettext("Indicator"), gettext("On revision"), *(str(words) for words in POSITION.values()), gettext("All")]
    rows: list[list[Any]] = []
    for row in facts.heat:
        for taken in row.revisions:
            counts = ["–"] * len(PositionValue) if taken.counts is None else [taken.counts[value] for value in PositionValue]
            people = row.in_all(taken)
            rows.append([row.indicator.code, ", ".join(map(str, taken.numbers)), *counts, "–" if people is None else people])
        if not row.revisions:
            rows.append([row.indicator.code, "", *[0] * len(PositionValue), 0])
    return header, rows


def _people(row: ParticipationRow) -> list[Any]:
    return ["–" if n is None else n for n in (row.women, row.men, row.other, row.total, row.institutions)]


def _participation(facts: Facts) -> Table:
    header = [gettext("Event"), gettext("Counted"), gettext("Stakeholder type"), gettext("Women"), gettext("Men"),
              gettext("Other or undisclosed"), gettext("Total"), gettext("Institutions")]  # fmt: skip
    rows = []
    for meeting in facts.meetings:
        for words, table in ((gettext("Registered"), meeting.registered), (gettext("Arrived"), meeting.arrived)):
            for row in (*table.rows, table.total):
                rows.append([local(meeting.event.title), words, local(row.name), *_people(row)])
    return header, rows


def _signatures(facts: Facts) -> Table:
    header = [gettext("Section"), gettext("Revision"), "SHA-256", gettext("Name"), gettext("Position"), gettext("Institution"),
              gettext("Decision"), gettext("Reservation"), gettext("Signed at (UTC)")]  # fmt: skip
    rows = []
    for chapter in facts.chapters:
        for s in chapter.standing:
            who = [s.signer_name, s.signer_title, s.institution, str(DECIDED[s.decision]), s.text, s.created_at.isoformat()]
            rows.append([chapter.section.number, s.revision.number, s.revision_sha256, *who])
    return header, rows


def tables(facts: Facts) -> dict[str, Table]:
    """Every table of the report by the name of its sheet or file, in the reader's language."""
    return {
        gettext("Sections"): _sections(facts),
        gettext("Indicators"): _indicators(facts),
        gettext("Comments"): _comments(facts),
        gettext("Positions"): _positions(facts),
        gettext("Participation"): _participation(facts),
        gettext("Signatures"): _signatures(facts),
    }


def xlsx(facts: Facts) -> bytes:
    return write_xlsx(tables(facts))


def csv_zip(facts: Facts) -> bytes:
    """A ZIP of one CSV a table."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (header, rows) in tables(facts).items():
            archive.writestr(f"{name.lower()}.csv", write_csv(header, rows))
    return buffer.getvalue()


# -- JSON --


def _comment(comment: Comment) -> dict[str, Any]:
    decided = comment.disposition
    return {
        "number": comment.number,
        "section": comment.section.number,
        "indicator": comment.indicator.code,
        "kind": comment.kind.value,
        "text": comment.text,
        "language": comment.language,
        "proposed": comment.proposed,
        "evidence": comment.link,
        "submitted_by": str(byline(comment, NOBODY)),
        "made_on_revision": comment.revision.number,
        "disposition": decided.kind.value if decided is not None else None,
        "response": decided.response if decided is not None else "",
        "carried_by_revision": decided.revision.number if decided is not None and decided.revision is not None else None,
    }


def _table(table: Participation) -> dict[str, Any]:
    return {"by_type": [asdict(row) for row in table.rows], "total": asdict(table.total), "suppressed": table.is_suppressed}


def document(facts: Facts, schema_url: str) -> dict[str, Any]:
    """The report as data, in all its languages; schema.py describes it."""
    consultation = facts.consultation
    bound = binding(facts.chapters)
    return {
        "$schema": schema_url,
        "consultation": {
            "slug": consultation.slug,
            "title": consultation.title,
            "territory": consultation.territory,
            "languages": consultation.languages,
            "partners": consultation.partners,
            "attribution": consultation.attribution.value,
            "illustrative": consultation.is_illustrative,
        },
        "validated_at": facts.validated_at.isoformat() if facts.validated_at is not None else None,
        "figures": figures(facts),
        "sections": [
            {**about, "content": chapter.revision.content if chapter.revision is not None else None}
            for about, chapter in zip(bound, facts.chapters, strict=True)
        ],
        "comments": [_comment(comment) for comment in facts.comments],
        "positions": [
            {
                "indicator": row.indicator.code,
                "people": row.held.people,
                "as_of": row.held.told_at.isoformat() if row.held.told_at is not None else None,
                "counts": row.everyone.counts,
                "by_revision": [{"revisions": list(taken.numbers), "counts": taken.counts} for taken in row.revisions],
            }
            for row in facts.heat
        ],
        "participation": [
            {
                "event": meeting.event.title,
                "starts_on": meeting.event.starts_on.isoformat(),
                "ends_on": meeting.event.ends_on.isoformat(),
                "registered": _table(meeting.registered),
                "arrived": _table(meeting.arrived),
            }
            for meeting in facts.meetings
        ],
        "log": {"chain": str(consultation.id), "number": facts.log_number, "hash": facts.log_hash},
    }


def as_json(facts: Facts, schema_url: str) -> bytes:
    """Text as text: what looks like markup or a formula is only ever a string. A lone surrogate is written as its escape."""
    words = json.dumps(document(facts, schema_url), ensure_ascii=False, indent=1)
    return words.encode("utf-8", "backslashreplace") + b"\n"
