"""The overview of sign-offs, the signing page, and taking a signature back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from consult_app import audit, checkpoints
from consult_app.accounts import passkeys
from consult_app.accounts.factors import answer_options, limited_if_wrong, told
from consult_app.accounts.views import demo_code
from consult_app.consultations import labels as words_of_sections
from consult_app.consultations.deputies import delegations_of
from consult_app.consultations.models import SECTION_PARTS, Section
from consult_app.consultations.queries import load_consultation, load_section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.forms import mark
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.signoff import actions, gate, labels, mails, queries, standing  # noqa: F401  mails: registers its builders
from consult_app.signoff.forms import AskForm, SignForm, WithdrawForm
from consult_app.signoff.models import Decision
from consult_app.signoff.standing import Place
from consult_app.web import Answer, download, limiter

bp = Blueprint("signoff", __name__)


def _limited_by() -> str:
    return str(g.actor.actor_key)


@bp.get("/consultations/<slug>/sign-off")
def sections(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("signoff.see", consultation)
    found = standing.sections_of(consultation)
    return render_template(
        "signoff/sections.html",
        consultation=consultation,
        sections=found,
        places=standing.places_of(found),
        missing=gate.missing_of(found),
        is_validated=standing.is_validated,
        fillable=standing.fillable,
        sign_offs=standing.sign_offs_of(found),
        delegations=[delegation for delegation in delegations_of(consultation) if not delegation.is_over],
        has_key=checkpoints.is_ready(),
        labels=labels,
        words=words_of_sections,
        form=WithdrawForm(),
    )


@bp.get("/consultations/<slug>/sign-off/checkpoint.json")
@limiter.limit("30 per minute", key_func=_limited_by)
def checkpoint(slug: str) -> Answer:
    """Where the log of this consultation stands now, signed, to be kept elsewhere."""
    consultation = load_consultation(slug)
    require("signoff.see", consultation)
    chain = str(consultation.id)
    try:
        text = checkpoints.make(chain)
    except checkpoints.KeyUnusable as problem:
        words = gettext("A checkpoint cannot be made now: the key for it is missing or cannot be read. Tell the administrator.")
        raise Conflict(words) from problem
    return download(text.encode(), f"checkpoint-{slug}-{audit.last_number(chain)}.json", "application/json")


@bp.route("/consultations/<slug>/sections/<int:number>/sign", methods=["GET", "POST"])
@limited_if_wrong
def sign(slug: str, number: int) -> Answer:
    """The text, what changed, and the form; `?place=` says in whose place. Whatever is refused, what was typed is kept."""
    consultation = load_consultation(slug)
    section = load_section(consultation, number)
    require("signoff.sign", section)
    form, status = SignForm(), 200
    if form.validate_on_submit():
        given: dict[str, Any] = {"passkey": form.assertion.data or "", "point_id": form.place.data or ""}
        try:
            decision, sha256, text = Decision(form.decision.data), form.shown_sha256.data or "", form.text.data or ""
            actions.sign_off(section, decision, sha256, text, form.code.data or "", by=g.actor, **given)
            db.session.commit()
        except (Conflict, Invalid) as problem:
            db.session.rollback()
            status = mark(form, problem)
            form.form_errors.extend(str(reason) for reason in problem.reasons if problem.status == 409)
            section = load_section(load_consultation(slug), number)
        else:
            words = gettext("Your decision on section %(number)s is recorded, with its time and the SHA-256 of the text.", number=number)
            flash(words, "success")
            return redirect(url_for("signoff.sections", slug=slug), 303)
    elif form.is_submitted():
        status = 422
    return _signing_page(section, form), status


def _seats(section: Section, wanted: str) -> tuple[list[Place], Place]:
    """The places the reader may fill, and the one meant: that of the address or form, else the first that waits for them."""
    found = standing.places(section)
    seats, waiting = standing.fillable(found, g.actor), standing.awaited_from(found, g.actor)
    if not seats:
        abort(403)  # taken from them since the policy was asked
    meant = next((place for place in seats if place.focal_point.public_id == wanted), None)
    return seats, meant or (waiting or seats)[0]


def _signing_page(section: Section, form: SignForm) -> str:
    revision = section.revision
    seats, own = _seats(section, form.place.data or request.args.get("place", ""))
    since_opened = None
    if revision is not None and form.shown_sha256.data != revision.sha256:
        since_opened = queries.difference_since(section, form.shown_sha256.data) if form.is_submitted() else None
        form.shown_sha256.raw_data, form.shown_sha256.data = None, revision.sha256  # what is signed next is what is shown now
    form.place.raw_data, form.place.data = None, own.focal_point.public_id
    seat = actions.seat_of(section, g.actor, own.focal_point.public_id)
    return render_template(
        "signoff/sign.html",
        consultation=section.consultation,
        section=section,
        revision=revision,
        parts=SECTION_PARTS,
        missing=gate.missing(section),
        difference=queries.difference_for(section, g.actor),
        since_opened=since_opened,
        seats=seats,
        own=own,
        delegation=seat.delegation,
        statement=actions.statement(revision, seat.point, seat.delegation) if revision is not None else "",
        history=queries.history(section),
        labels=labels,
        words=words_of_sections,
        named=gate.named,
        form=form,
        demo_code=demo_code(),
        can_passkey=bool(g.actor.passkeys) and passkeys.are_possible(),
    )


@bp.post("/consultations/<slug>/sections/<int:number>/sign/passkey")
@limiter.limit("20 per 5 minutes", key_func=_limited_by)
def ask_passkey(slug: str, number: int) -> Answer:
    """What the browser asks a passkey: bound to this section, the decision, the words and the SHA-256 that was shown."""
    consultation = load_consultation(slug)
    section = load_section(consultation, number)
    require("signoff.sign", section)
    form = AskForm()
    if not form.validate_on_submit():
        return told(gettext("Choose your decision."), 422)
    given = (form.place.data or "", form.decision.data, form.shown_sha256.data or "", form.text.data or "")
    return answer_options(lambda: passkeys.request_options(g.actor, actions.purpose_of(section, *given)))


@bp.post("/consultations/<slug>/sign-offs/<public_id>/withdraw")
def withdraw(slug: str, public_id: str) -> Answer:
    sign_off = queries.load_sign_off(load_consultation(slug), public_id)
    require("signoff.sign", sign_off)
    form, status = WithdrawForm(), 422
    if form.validate_on_submit():
        try:
            actions.withdraw(sign_off, form.reason.data or "", by=g.actor)
            db.session.commit()
            flash(gettext("The signature is withdrawn. It stays in the record, with your reason."), "success")
            return redirect(url_for("signoff.sections", slug=slug), 303)
        except Conflict as problem:
            db.session.rollback()
            status = mark(form, problem)
    return render_template("signoff/withdraw.html", sign_off=sign_off, consultation=sign_off.section.consultation, form=form), status
