"""Whether one gets the digest of a consultation: chosen by whoever gets it."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for

from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.signoff import digest as digests
from consult_app.signoff.views import bp
from consult_app.web import Answer


@bp.route("/consultations/<slug>/digest", methods=["GET", "POST"])
def digest(slug: str) -> Answer:
    """The page that the link in each digest opens; a GET changes nothing."""
    consultation = load_consultation(slug)
    require("digest.choose", consultation)
    if request.method == "POST":
        wants = request.form.get("wants") == "1"
        digests.choose(consultation, wants, by=g.actor)
        db.session.commit()
        words = gettext("You get the daily mail of this consultation.") if wants else gettext("You get no daily mail of this consultation.")
        flash(words, "success")
        return redirect(url_for("signoff.digest", slug=slug), 303)
    own = digests.own_memberships(consultation, g.actor)
    return render_template("signoff/digest.html", consultation=consultation, wants=any(m.wants_digest for m in own))
