"""Any two revisions beside each other."""

from __future__ import annotations

from flask import g, render_template, request, url_for

from consult_app.consultations import labels
from consult_app.consultations.queries import load_consultation, load_revision, load_section, revisions
from consult_app.documents.word import DOCX_TYPE
from consult_app.errors import Missing
from consult_app.i18n import _
from consult_app.policy import can, require
from consult_app.reports.differences import Comparison, compare, difference_docx, difference_pdf
from consult_app.web import Answer, download


def _load(slug: str, number: int) -> Comparison:
    """The two revisions that the address asks for (`from`, `to`); by default the current one and the one before it."""
    section = load_section(load_consultation(slug), number)
    require("revision.see", section)
    newest = section.revision_number
    if newest == 0:
        raise Missing(_("This section has no revision yet."))
    wanted = [request.args.get(name, type=int) for name in ("from", "to")]
    one, other = wanted[0] or max(1, newest - 1), wanted[1] or newest
    return compare(section, load_revision(section, one), load_revision(section, other))


def show(slug: str, number: int) -> Answer:
    found = _load(slug, number)
    require("revision.see", found.section)
    return render_template(
        "reports/differences.html",
        consultation=found.section.consultation,
        section=found.section,
        found=found,
        changes=found.changes,
        revisions=revisions(found.section),
        is_staff=can(g.actor, "consultation.work", found.section),
        back=url_for("consultations.section", slug=slug, number=number),
        labels=labels,
    )


def paper(slug: str, number: int, kind: str) -> Answer:
    found = _load(slug, number)
    require("revision.see", found.section)
    name = f"{slug}-{number}-revision-{found.old.number}-{found.new.number}.{kind}"
    if kind == "pdf":
        return download(difference_pdf(found), name, "application/pdf", inline=True)
    return download(difference_docx(found), name, DOCX_TYPE)
