"""The sealed report with 500 and 5,000 comments, beside bare reportlab that sets the same text on as many pages; and the log's verifier.

`python -m benchmarks.reports` prints one JSON object a line.
"""

from __future__ import annotations

import hashlib
import io
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pypdf
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import BaseDocTemplate, Frame, PageBreak, PageTemplate, Paragraph
from sqlalchemy import text

from benchmarks.site import empty_site, median, register, tell, timed
from consult_app import audit, create_app, pdf
from consult_app.comments import answers
from consult_app.comments.actions import write_comment
from consult_app.comments.models import CommentKind, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation, Indicator
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.reports import seal
from consult_app.reports.compose import compose
from consult_app.reports.facts import gather
from tests import factories
from tests.conftest import SETTINGS
from tests.factories import BY
from tests.signoff.steps import freeze, name, sign

INDICATORS, DIMENSIONS = 98, 6
WORDS = "The regulation was issued after consultation with provinces, and its text names returning workers and their families. "


def consultation_with(event: Event, comments: int) -> Consultation:
    """A validated national report: 98 indicators with findings, and so many answered comments of 58 people."""
    made = factories.make_consultation(indicators=INDICATORS, dimensions=DIMENSIONS)
    people = register(factories.make_event(made, starts_on=event.starts_on), 58)
    decider = factories.make_user(Role.FOCAL_POINT, made)
    indicators = list(db.session.scalars(db.select(Indicator).where(Indicator.consultation_id == made.id).order_by(Indicator.place)))
    for indicator in indicators:
        indicator.finding = {"en": WORDS * 4, "id": WORDS * 4}
        audit.record(BY, "indicator.edit", indicator)
    for section in made.sections:
        consultations.edit_section(section, {"narrative": {"en": (WORDS * 6 + "\n") * 4}}, section.edit_number, by=BY)
        consultations.open_section(section, by=BY)
        name(section, decider)
    db.session.commit()
    db.session.expire_all()
    written = [
        write_comment(
            indicators[n % INDICATORS], people[n % 58], CommentKind.EVIDENCE, f"{n}: {WORDS * 2}", by=people[n % 58], client_key=f"key-{n}"
        )
        for n in range(comments)
    ]
    for section in made.sections:
        consultations.start_review(section, by=BY)
    for comment in written:
        answers.decide(comment, DispositionKind.NOTED, WORDS, by=decider)
    for section in made.sections:
        freeze(section)
        sign(section, decider)
    db.session.commit()
    return made


def sealed(consultation: Consultation) -> bytes:
    """As the job makes it: gathered, composed, sealed."""
    db.session.expire_all()
    return seal.seal(compose(gather(consultation), "en"), "Report of the benchmark")


def bare(pages: list[str]) -> bytes:
    """The floor: reportlab alone sets the words of each page in one column, with a page break after each."""
    buffer = io.BytesIO()
    look = ParagraphStyle("floor", fontName=pdf.SANS, fontSize=8, leading=10.4)
    frame = Frame(22 * mm, 24 * mm, A4[0] - 44 * mm, A4[1] - 46 * mm, 0, 0, 0, 0)
    document = BaseDocTemplate(buffer, pagesize=A4)
    document.addPageTemplates(PageTemplate("page", [frame]))
    story: list[Any] = []
    for words in pages:
        story += [Paragraph(escape(line), look) for line in words.split("\n") if line.strip()]
        story.append(PageBreak())
    document.build(story)
    return buffer.getvalue()


def report(label: str, comments: int, times: int) -> None:
    """One size of report. Its memory is that of a fresh process that seals it, as the worker does."""
    with empty_site() as (app, event):
        consultation = consultation_with(event, comments)
        document = sealed(consultation)
        pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(document)).pages]
        ours, floors = [], []
        for _round in range(times):
            floors.append(timed(lambda: bare(pages)))
            ours.append(timed(lambda: sealed(consultation)))
        value, floor = sorted(ours)[times // 2], sorted(floors)[times // 2]
        tell(label, value, "s", floor, len(pages), max(ours) - min(ours))
        command = [sys.executable, "-m", "benchmarks.reports", "memory", str(app.config["VAR"]), consultation.slug]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        tell(f"{label}_memory", float(told), "MB", None, len(pages))


def memory(var: str, slug: str) -> None:
    """Seal the report of a consultation in this process, and print the most memory that took, in MB."""
    app = create_app({**SETTINGS, "VAR": Path(var), "DATABASE_URL": f"sqlite:///{Path(var) / 'consult.db'}"})
    with app.app_context():
        sealed(db.session.scalars(db.select(Consultation).where(Consultation.slug == slug)).one())
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def verify() -> None:
    """Entries of the log per second; the floor reads the same rows and hashes the same bytes."""
    with empty_site() as (_app, event):
        consultation_with(event, 4_000)
        db.session.commit()

        def floor() -> None:
            previous = ""
            for row in db.session.execute(text("SELECT * FROM audit_entries ORDER BY chain, number")):
                words = json.dumps([str(value) for value in row], ensure_ascii=False, separators=(",", ":"))
                previous = hashlib.sha256((previous + words).encode()).hexdigest()
                hashlib.sha256(f"{row.salt}{row.state}".encode()).hexdigest()

        bare_time, _spread = median(floor)
        entries, _faults = audit.verify()
        value, spread = median(lambda: audit.verify())
        tell("audit_verify", entries / value, "entries per s", entries / bare_time, entries, spread)


def main() -> None:
    if len(sys.argv) > 1:
        part, *rest = sys.argv[1:]
        {
            "98": lambda: report("report_98", 500, 3),
            "5000": lambda: report("report_5000_comments", 5_000, 1),
            "memory": lambda: memory(*rest),
            "verify": verify,
        }[part]()
        return
    for part in ("98", "5000", "verify"):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "benchmarks.reports", part], check=True)
        print(f"# {part}: {time.perf_counter() - started:.0f} s with its preparation", file=sys.stderr)


if __name__ == "__main__":
    main()
