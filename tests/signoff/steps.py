"""The steps before a signature, made through the actions as the product makes them."""

from __future__ import annotations

from typing import Any

from consult_app.accounts.models import User
from consult_app.comments import actions as comments
from consult_app.comments.models import Comment, CommentKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import FocalPoint, Revision, Section
from consult_app.db import db
from consult_app.registrations.models import Registration
from consult_app.signoff.actions import sign_off
from consult_app.signoff.models import Decision, SignOff
from tests import factories
from tests.conftest import totp

BY = factories.BY


def name(section: Section, user: User) -> FocalPoint:
    named = factories.name_focal_point(section, user)
    db.session.expire(section, ["focal_points"])
    db.session.expire(user, ["focal_points"])
    return named


def freeze(section: Section) -> Revision:
    """Bring a section, whatever its state, to a frozen revision."""
    if section.is_frozen:
        consultations.reopen_section(section, by=BY)
    elif not section.is_open and not section.revision_number:
        consultations.open_section(section, by=BY)
    if section.is_open:
        consultations.start_review(section, by=BY)
    revision = consultations.freeze_section(section, by=BY)
    db.session.expire(section, ["revision"])
    return revision


def rewrite(section: Section, words: str) -> Revision:
    """Another text, frozen: a new revision."""
    if section.is_frozen:
        consultations.reopen_section(section, by=BY)
    consultations.edit_section(section, {"narrative": {"en": words}}, section.edit_number, by=BY)
    return freeze(section)


def sign(section: Section, user: User, decision: Decision = Decision.APPROVE, text: str = "") -> SignOff:
    assert section.revision is not None
    return sign_off(section, decision, section.revision.sha256, text, totp(user), by=user)


def comment_on(section: Section, registration: Registration, text: str = "Please add the law of 2017.", **more: Any) -> Comment:
    """A comment on the section's first indicator; the section has to be open."""
    indicator = section.dimension.indicators[0]
    kind = more.pop("kind", CommentKind.EVIDENCE)
    key = f"key-{text[:20]}-{registration.public_id}"
    return comments.write_comment(indicator, registration, kind, text, by=registration, client_key=key, **more)
