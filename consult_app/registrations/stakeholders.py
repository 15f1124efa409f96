"""The stakeholder types that a new consultation starts with (domain.md): who is asked for, and counted."""

from __future__ import annotations

import re

from sqlalchemy import func, select

from consult_app import audit
from consult_app.consultations.actions import consultation_created
from consult_app.consultations.models import Consultation, Level
from consult_app.db import db
from consult_app.errors import Conflict, Missing
from consult_app.events.models import Event
from consult_app.i18n import Texts, _
from consult_app.policy import Actor
from consult_app.registrations.models import Institution, Question, Quota, Registration, StakeholderType

TYPES: dict[str, Texts] = {
    "government": {"en": "Government", "id": "Pemerintah"},
    "local_government": {"en": "Local government office", "id": "Perangkat daerah"},
    "un": {"en": "UN agency", "id": "Badan PBB"},
    "ngo": {"en": "NGO", "id": "LSM"},
    "cso": {"en": "CSO", "id": "Organisasi masyarakat sipil"},
    "school": {"en": "School", "id": "Sekolah"},
    "hospital": {"en": "Hospital", "id": "Rumah sakit"},
    "academia": {"en": "Academia", "id": "Akademisi"},
    "private": {"en": "Private sector", "id": "Sektor swasta"},
}
LOCAL_ONLY = frozenset({"local_government", "school", "hospital"})


def add_stakeholder_type(consultation_id: int, code: str, name: Texts, place: int, *, by: Actor) -> StakeholderType:
    audit.take_turn(consultation_id)
    kind = StakeholderType(consultation_id=consultation_id, code=code, name=name, place=place)
    db.session.add(kind)
    audit.record(by, "stakeholder_type.add", kind)
    return kind


def _types(consultation: Consultation) -> list[StakeholderType]:
    query = select(StakeholderType).where(StakeholderType.consultation_id == consultation.id)
    return list(db.session.scalars(query.order_by(StakeholderType.place, StakeholderType.id)))


def load_stakeholder_type(consultation: Consultation, public_id: str) -> StakeholderType:
    """A type of this consultation. Raises Missing."""
    found = next((kind for kind in _types(consultation) if kind.public_id == public_id), None)
    if found is None:
        raise Missing(_("There is no such stakeholder type."))
    return found


@audit.in_turn
def new_stakeholder_type(consultation: Consultation, name: Texts, *, by: Actor) -> StakeholderType:
    """Add a type at the end of the list. Raises Conflict where one has that name already."""
    types = _types(consultation)
    _check_name(types, name)
    words = name.get("en") or next(iter(name.values()))
    base = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:40] or "type"
    taken = {kind.code for kind in types}
    code = base if base not in taken else next(f"{base}_{n}" for n in range(2, len(taken) + 3) if f"{base}_{n}" not in taken)
    return add_stakeholder_type(consultation.id, code, name, max((kind.place for kind in types), default=-1) + 1, by=by)


def _check_name(types: list[StakeholderType], name: Texts) -> None:
    taken = {words.casefold() for kind in types for words in kind.name.values()}
    if any(words.casefold() in taken for words in name.values() if words):
        raise Conflict(_("There is a stakeholder type of that name already."))


@audit.in_turn
def rename_stakeholder_type(kind: StakeholderType, consultation: Consultation, name: Texts, *, by: Actor) -> None:
    """Give a type another name; its code stays, so that files written before still fit."""
    _check_name([other for other in _types(consultation) if other.id != kind.id], name)
    kind.name = name
    audit.record(by, "stakeholder_type.rename", kind)


@audit.in_turn
def move_stakeholder_type(kind: StakeholderType, consultation: Consultation, step: int, *, by: Actor, seen: int | None = None) -> None:
    """Move a type up (-1) or down (1) in the list. Raises Conflict where its `place` is not the one `seen` any more."""
    if seen is not None and kind.place != seen:
        raise Conflict(_("The order was changed meanwhile. Look at the list again."))
    types = _types(consultation)
    here = next(n for n, other in enumerate(types) if other.id == kind.id)
    if not 0 <= here + step < len(types):
        raise Conflict(_("It cannot be moved any further."))
    types[here], types[here + step] = types[here + step], types[here]
    for place, other in enumerate(types):
        if other.place != place:
            other.place = place
            audit.record(by, "stakeholder_type.move", other)


def uses_of_types(consultation: Consultation) -> dict[int, int]:
    """How many institutions and registrations stand under each type."""
    counts: dict[int, int] = {}
    for model in (Institution, Registration):
        query = select(model.stakeholder_type_id, func.count()).where(model.consultation_id == consultation.id)
        for kind_id, n in db.session.execute(query.group_by(model.stakeholder_type_id)).tuples():
            counts[kind_id] = counts.get(kind_id, 0) + n
    return counts


@audit.in_turn
def remove_stakeholder_type(kind: StakeholderType, consultation: Consultation, *, by: Actor) -> None:
    """Take a type away that nobody stands under; its quotas go with it. Raises Conflict where it is used."""
    if uses_of_types(consultation).get(kind.id):
        raise Conflict(_("Institutions or people stand under this type, so it stays. You can rename it."))
    asked = db.session.scalars(select(Question).join(Event).where(Event.consultation_id == consultation.id, Question.is_retired.is_(False)))
    if any(kind.code in question.stakeholder_type_codes for question in asked):
        raise Conflict(_("A question is asked of this type only. Change the question first."))
    for quota in db.session.scalars(select(Quota).where(Quota.stakeholder_type_id == kind.id)).all():
        audit.record(by, "quota.delete", quota)
        db.session.delete(quota)
    audit.record(by, "stakeholder_type.delete", kind)
    db.session.delete(kind)


@consultation_created.connect
def _add_types(consultation: Consultation, by: Actor) -> None:
    is_local = consultation.level is Level.SUBNATIONAL
    codes = [code for code in TYPES if is_local or code not in LOCAL_ONLY]
    for place, code in enumerate(codes):
        add_stakeholder_type(consultation.id, code, TYPES[code], place, by=by)
