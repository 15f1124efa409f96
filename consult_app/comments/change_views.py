"""Accepted comments beside the text that is edited, and what a revision answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import flash, g, redirect, url_for

from consult_app import policy
from consult_app.comments import changes, labels
from consult_app.comments.attribution import byline
from consult_app.comments.models import ChangeLink, Comment
from consult_app.comments.views import bp
from consult_app.consultations.models import Indicator, Revision, Section
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.web import Answer

MOST = 100  # comments beside one text; the desk has them all


@dataclass(frozen=True)
class Beside:
    """What the margin of an editing page shows: `links` by comment, `total` before it was cut."""

    comments: list[Comment]
    links: dict[int, list[ChangeLink]]
    total: int
    bylines: dict[int, Any]
    labels: Any = labels

    def is_linked_to(self, comment: Comment, indicator: Indicator | None) -> bool:
        """Whether a change of the text on this page answers the comment already."""
        return any(made.indicator_id == (indicator.id if indicator else None) for made in self.links.get(comment.id, ()))


def beside(section: Section, indicator: Indicator | None = None) -> Beside:
    """The accepted comments that wait, for the page on which a section or one of its findings is edited."""
    found = changes.waiting(section, indicator)
    by_comment: dict[int, list[ChangeLink]] = {}
    for made in changes.links(section):
        by_comment.setdefault(made.comment_id, []).append(made)
    held = policy.roles(g.actor, section)
    return Beside(found[:MOST], by_comment, len(found), {comment.id: byline(comment, held) for comment in found[:MOST]})


def answered_in(revision: Revision) -> list[tuple[str, list[Comment]]]:
    """The comments that a revision carries, as the reader may know of them."""
    return changes.answered_by(revision, unshown=policy.can(g.actor, "comment.see_unshown", revision))


@bp.post("/consultations/<slug>/changes/<public_id>/take-back")
def take_back_change(slug: str, public_id: str) -> Answer:
    """A change that was linked to a comment does not answer it after all."""
    consultation = load_consultation(slug)
    require("section.edit", consultation)
    made = changes.load_link(consultation, public_id)
    section, indicator, number = made.section, made.indicator, made.comment.number
    changes.take_back(made, by=g.actor)
    db.session.commit()
    flash(gettext("Comment %(number)s waits for a change again.", number=number), "success")
    if indicator is not None:
        return redirect(url_for("consultations.edit_finding", slug=slug, code=indicator.code), 303)
    return redirect(url_for("consultations.edit_section", slug=slug, number=section.number), 303)
