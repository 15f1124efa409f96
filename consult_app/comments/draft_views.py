"""The server's side of a composer: keeps what is typed, and tells the text that a wording can start from."""

from __future__ import annotations

import datetime as dt

from flask import g, jsonify, request

from consult_app.comments import drafts
from consult_app.comments.forms import DraftForm
from consult_app.comments.views import bp, texts_to_edit, who
from consult_app.consultations.queries import load_consultation, load_indicator
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.web import Answer, limiter


@bp.post("/consultations/<slug>/indicators/<code>/draft")
@limiter.limit("120 per minute", key_func=who)
def keep_draft(slug: str, code: str) -> Answer:
    """What is typed so far; answered with when it was typed, where it is kept."""
    consultation = load_consultation(slug)
    require("comment.write", consultation)
    indicator = load_indicator(consultation, code)
    form = DraftForm()
    if not form.validate():
        raise Invalid(gettext("This cannot be kept as a draft."))
    typed = {name: form[name].data or "" for name in drafts.FIELDS}
    age = dt.timedelta(milliseconds=form.age.data or 0)
    saved_at = drafts.keep(indicator, g.actor, typed, form.client_key.data or "", age)
    db.session.commit()
    return jsonify(saved_at=saved_at.isoformat() if saved_at else None)


@bp.get("/consultations/<slug>/indicators/<code>/text")
def text(slug: str, code: str) -> Answer:
    """The finding by language, of the revision that the composer is of: for a phone whose room moves from one to the next."""
    consultation = load_consultation(slug)
    require("indicator.see", consultation)
    return jsonify(texts=texts_to_edit(load_indicator(consultation, code), request.args.get("revision", "")[:64]))
