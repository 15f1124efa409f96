"""Signatures on paper: the sheet to print, the upload of its scan, and what is kept."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField
from wtforms.validators import InputRequired, Length, Optional

from consult_app import storage
from consult_app.consultations.models import Section
from consult_app.consultations.queries import load_consultation, load_section
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.forms import Form, Line
from consult_app.i18n import _, gettext
from consult_app.policy import require
from consult_app.reports import papers
from consult_app.web import Answer, download, pause_transaction, resume_writing


class PaperForm(Form):
    shown_sha256 = HiddenField(validators=[InputRequired(), Length(64, 64)])
    file = FileField(_("Scan or signed PDF"), [FileRequired(_("Choose the file first."))])
    note = Line(_("Note, such as who signed"), [Optional()])


def _load(slug: str, number: int, action: str) -> Section:
    section = load_section(load_consultation(slug), number)
    require(action, section)
    return section


def sheet(slug: str, number: int) -> Answer:
    section = _load(slug, number, "paper.see")
    require("paper.see", section)
    return download(papers.signature_sheet(section), f"{slug}-section-{number}-signatures.pdf", "application/pdf", inline=True)


def show(slug: str, number: int) -> Answer:
    section = _load(slug, number, "paper.see")
    require("paper.see", section)
    return _page(section, PaperForm(formdata=None))


def _page(section: Section, form: PaperForm, status: int = 200) -> Answer:
    if section.revision is not None:
        form.shown_sha256.data = form.shown_sha256.data or section.revision.sha256
    kept = papers.papers_of(section)
    return render_template("reports/papers.html", consultation=section.consultation, section=section, kept=kept, form=form), status


def keep(slug: str, number: int) -> Answer:
    """Keep a file; it lies in the store before a row names it, and leaves it again where none does."""
    section = _load(slug, number, "paper.keep")
    require("paper.keep", section)
    form = PaperForm()
    if not form.validate():
        return _page(section, form, 422)
    data, note, shown = form.file.data.read(papers.MOST_BYTES + 1), form.note.data or "", form.shown_sha256.data or ""
    key = storage.new_key()
    is_named = False
    try:
        kind = papers.look(data)
        pause_transaction()
        storage.store().put(key, data)
        resume_writing()
        paper = papers.keep_paper(_load(slug, number, "paper.keep"), kind, key, data, note, shown, by=g.actor)
        is_named = paper.key == key
        db.session.commit()
    except Invalid as problem:
        form.file.errors = [str(problem.message)]
        return _page(_load(slug, number, "paper.keep"), form, 422)
    except BaseException:
        is_named = False
        raise
    finally:
        if not is_named:
            storage.store().delete(key)
    flash(gettext("The file is kept, with its SHA-256."), "success")
    return redirect(url_for("reports.papers", slug=slug, number=number), 303)


def paper(slug: str, public_id: str) -> Answer:
    """A kept file, always to be saved and never shown in the page."""
    consultation = load_consultation(slug)
    require("paper.see", consultation)
    found = papers.load_paper(consultation, public_id)
    name = f"{slug}-section-{found.section.number}-paper-{found.id}.{found.kind}"
    return download(papers.content(found), name, papers.KINDS[found.kind])
