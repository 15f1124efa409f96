"""Selects over sign-offs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app.accounts.models import User
from consult_app.consultations.diff import Change, revision_diff
from consult_app.consultations.models import Consultation, Revision, Section
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.i18n import _
from consult_app.signoff.models import SignOff, Withdrawal


@dataclass(frozen=True)
class Difference:
    """What changed from an earlier revision to the current one; `was_signed`: the reader signed the earlier one."""

    since: Revision
    was_signed: bool
    changes: list[Change]


def load_sign_off(consultation: Consultation, public_id: str) -> SignOff:
    """A sign-off of this consultation, with its section. Raises Missing."""
    found = db.session.scalar(
        select(SignOff)
        .where(SignOff.consultation_id == consultation.id, SignOff.public_id == public_id)
        .options(joinedload(SignOff.section), joinedload(SignOff.revision), joinedload(SignOff.withdrawal))
    )
    if found is None:
        raise Missing(_("There is no such sign-off in this consultation."))
    return found


def history(section: Section) -> list[SignOff]:
    """Every sign-off of the section ever made, the newest first."""
    return list(
        db.session.scalars(
            select(SignOff)
            .where(SignOff.section_id == section.id)
            .order_by(SignOff.id.desc())
            .options(
                joinedload(SignOff.revision), joinedload(SignOff.withdrawal).joinedload(Withdrawal.user), joinedload(SignOff.delegation)
            )
        )
    )


def difference_since(section: Section, sha256: str) -> Difference | None:
    """What changed since the revision with this SHA-256, which the reader was shown; None where it is none of this section's."""
    if section.revision is None:
        return None
    shown = db.session.scalar(select(Revision).where(Revision.section_id == section.id, Revision.sha256 == sha256).limit(1))
    return Difference(shown, False, revision_diff(shown.content, section.revision.content)) if shown is not None else None


def difference_for(section: Section, user: User) -> Difference | None:
    """What changed since the last revision this user signed, else since the one before; None for a first revision."""
    if section.revision is None:
        return None
    earlier = (
        select(Revision)
        .where(Revision.section_id == section.id, Revision.number < section.revision_number)
        .order_by(Revision.number.desc())
        .limit(1)
    )
    signed = db.session.scalar(earlier.join(SignOff, SignOff.revision_id == Revision.id).where(SignOff.user_id == user.id))
    since = signed or db.session.scalar(earlier)
    return Difference(since, signed is not None, revision_diff(since.content, section.revision.content)) if since is not None else None
