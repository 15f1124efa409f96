"""The findings of indicators: revised as the text of their section is, and with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.consultations.actions import Stale, full, lock_editable, text_saved
from consult_app.consultations.models import Consultation, Indicator
from consult_app.db import db
from consult_app.i18n import _
from consult_app.policy import Actor

# What may be revised. Code, question and the rest are the framework's, and change by an import only.
PARTS = ("answer", "finding", "evidence", "link")


@audit.in_turn
def edit_finding(indicator: Indicator, values: Mapping[str, Any], edit_number: int, *, by: Actor, answering: Sequence[str] = ()) -> None:
    """Save a finding. `values` gives any of PARTS; `edit_number` is that of the finding they began from.

    `answering` names the accepted comments that the change answers. Raises Stale where somebody saved since, or a framework was
    imported, Conflict where the section is frozen or signed.
    """
    section = indicator.dimension.section
    lock_editable(section)
    if edit_number != indicator.edit_number:
        raise Stale(_("Somebody else saved this finding while you were writing. Compare both texts, then save yours."))
    wanted = {part: full(value) if part == "finding" else value for part, value in values.items()}
    assert set(wanted) <= set(PARTS)
    changed = {part: value for part, value in wanted.items() if value != getattr(indicator, part)}
    if changed:
        for part, value in changed.items():
            setattr(indicator, part, value)
        indicator.edit_number, indicator.edited_by = indicator.edit_number + 1, by if isinstance(by, User) else None
        audit.record(by, "indicator.edit", indicator)
    text_saved.send(section, by=by, indicator=indicator, answering=answering)


def scale(consultation: Consultation) -> list[str]:
    """What the indicators of a consultation are answered with."""
    return sorted(db.session.scalars(select(Indicator.answer).where(Indicator.consultation_id == consultation.id).distinct()))
