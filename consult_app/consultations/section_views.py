"""The sections of a report: read, edited, taken from step to step, and their revisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for

from consult_app.consultations import actions, deadlines, labels, queries
from consult_app.consultations.diff import Change, revision_diff, word_diff
from consult_app.consultations.finding_views import answering
from consult_app.consultations.forms import AdvanceForm, DeadlineForm, SectionForm
from consult_app.consultations.models import SECTION_PARTS, Consultation, Section, SectionState
from consult_app.consultations.views import bp
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.forms import mark
from consult_app.i18n import ZONE_NAMES, gettext, local
from consult_app.policy import can, require
from consult_app.web import Answer

# The steps of a section's own small thread, and the first state in which each is done.
STEPS = (SectionState.DRAFT, SectionState.OPEN, SectionState.IN_REVIEW, SectionState.FROZEN, SectionState.SIGNED)


def knots(section: Section) -> list[dict[str, Any]]:
    """The thread of one section: write, comment, answer, sign."""
    now = STEPS.index(SectionState.IN_REVIEW if section.state is SectionState.RETURNED else section.state)
    words = (gettext("Prepare"), gettext("Comment"), gettext("Answer"), gettext("Sign"))
    return [
        {"key": str(n), "label": word, "figure": "", "url": "", "state": "done" if n < now else "now" if n == now else "waiting"}
        for n, word in enumerate(words)
    ]


@bp.get("/consultations/<slug>/sections")
def sections(slug: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.work", consultation)
    return render_template(
        "consultations/sections.html",
        consultation=consultation,
        sections=queries.sections(consultation),
        counts=queries.indicator_counts(consultation),
        knots=knots,
        labels=labels,
    )


@bp.get("/consultations/<slug>/sections/<int:number>")
def section(slug: str, number: int) -> Answer:
    """The manuscript: staff read the working text, participants the current revision."""
    consultation = queries.load_consultation(slug)
    section = queries.load_section(consultation, number)
    require("section.see", section)
    return _page(section)


def _page(section: Section, deadline_form: Any = None, status: int = 200) -> Answer:
    consultation = section.consultation
    is_staff = can(g.actor, "consultation.work", consultation)
    current = section.revision
    sees_working = can(g.actor, "section.see_working", section)
    if current is None and not is_staff:
        abort(404)  # nothing was put before participants yet
    working = actions.content_of(section) if sees_working else None
    changes = revision_diff(current.content, working) if current is not None and working is not None else []
    shown = current.content if current is not None else None
    return render_template(
        "consultations/section.html",
        consultation=consultation,
        section=section,
        content=working if working is not None and not (shown and section.is_frozen) else shown,
        sees_working=sees_working,
        changes=changes,
        revisions=queries.revisions(section) if is_staff else [],
        is_staff=is_staff,
        form=AdvanceForm(),
        deadline_form=deadline_form or DeadlineForm.of(section),
        zone_name=ZONE_NAMES.get(consultation.timezone, consultation.timezone),
        labels=labels,
    ), status


@bp.post("/consultations/<slug>/sections/<int:number>/deadline")
def set_deadline(slug: str, number: int) -> Answer:
    """Until when participants may comment; the section stays open, and staff go on recording."""
    section = queries.load_section(queries.load_consultation(slug), number)
    require("section.advance", section)
    form = DeadlineForm()
    if form.validate():
        try:
            deadlines.set_deadline(section, form.until(section), by=g.actor, everywhere=bool(form.everywhere.data))
            db.session.commit()
            flash(gettext("The deadline is kept.") if form.comments_until.data else gettext("There is no deadline any more."), "success")
            return redirect(url_for("consultations.section", slug=slug, number=number), 303)
        except Invalid as problem:
            db.session.rollback()
            section = queries.load_section(queries.load_consultation(slug), number)
            mark(form, problem)
    return _page(section, form, 422)


@bp.route("/consultations/<slug>/sections/<int:number>/edit", methods=["GET", "POST"])
def edit_section(slug: str, number: int) -> Answer:
    """The working text. Whoever saves on an older one is shown both, and keeps what they typed."""
    consultation = queries.load_consultation(slug)
    section = queries.load_section(consultation, number)
    require("section.edit", section)
    form = SectionForm.of(section, consultation.languages)
    status = 200
    theirs: list[Change] = []
    if form.validate_on_submit():
        try:
            actions.edit_section(section, form.texts(section), form.edit_number.data, by=g.actor, answering=answering())
            db.session.commit()
            flash(gettext("The text is saved."), "success")
            return redirect(url_for("consultations.section", slug=slug, number=number), 303)
        except (Conflict, Invalid) as problem:
            db.session.rollback()
            consultation = queries.load_consultation(slug)
            section = queries.load_section(consultation, number)
            status = mark(form, problem)
            if isinstance(problem, Conflict):
                theirs = _theirs(section, form, consultation)
                form.edit_number.raw_data = None  # the next save is on the newest text, knowingly
                form.edit_number.data = section.edit_number
    elif form.is_submitted():
        status = 422
    elif not section.is_editable:
        flash(gettext("Section %(number)s is frozen for signature. Reopen it before changing its text.", number=number), "warning")
        return redirect(url_for("consultations.section", slug=slug, number=number), 303)
    return render_template(
        "consultations/edit_section.html",
        form=form,
        consultation=consultation,
        section=section,
        theirs=theirs,
        ticked=answering(),
        labels=labels,
    ), status


def _theirs(section: Section, form: SectionForm, consultation: Consultation) -> list[Change]:
    """Where the text saved by somebody else differs from what was typed."""
    return [
        Change("", part, language, word_diff(getattr(section, part).get(language, ""), form[part].data.get(language) or ""))
        for part in SECTION_PARTS
        for language in consultation.languages
        if getattr(section, part).get(language, "") != (form[part].data.get(language) or "")
    ]


@bp.post("/consultations/<slug>/sections/<int:number>/advance")
def advance_section(slug: str, number: int) -> Answer:
    """Open, close for review, freeze, reopen; or make a revision of the text as it stands."""
    consultation = queries.load_consultation(slug)
    section = queries.load_section(consultation, number)
    require("section.advance", section)
    form = AdvanceForm()
    note = form.note.data or ""
    steps: dict[str, tuple[Callable[[], object], str]] = {
        "open": (lambda: actions.open_section(section, by=g.actor), gettext("The section is open for comments.")),
        "in_review": (lambda: actions.start_review(section, by=g.actor), gettext("The comments are closed and can be answered.")),
        "freeze": (lambda: actions.freeze_section(section, by=g.actor, note=note), gettext("The text is frozen for signature.")),
        "reopen": (lambda: actions.reopen_section(section, by=g.actor, reason=note), gettext("The section is in review again.")),
        "revise": (lambda: actions.make_revision(section, by=g.actor, note=note), gettext("The text stands as a revision.")),
    }
    if not form.validate_on_submit() or form.to.data not in steps:
        abort(422)
    act, words = steps[form.to.data]
    act()
    db.session.commit()
    flash(words, "success")
    return redirect(url_for("consultations.section", slug=slug, number=number), 303)


@bp.get("/consultations/<slug>/sections/<int:number>/revisions/<int:revision_number>")
def revision(slug: str, number: int, revision_number: int) -> Answer:
    """One revision, with its difference to the one before as words."""
    consultation = queries.load_consultation(slug)
    section = queries.load_section(consultation, number)
    require("revision.see", section)
    revision = queries.load_revision(section, revision_number)
    before = queries.load_revision(section, revision_number - 1) if revision_number > 1 else None
    return render_template(
        "consultations/revision.html",
        consultation=consultation,
        section=section,
        revision=revision,
        content=revision.content,
        title=local(revision.content["title"]),
        before=before,
        changes=revision_diff(before.content, revision.content) if before is not None else [],
        labels=labels,
    )
