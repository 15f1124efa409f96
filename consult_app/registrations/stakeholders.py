"""The stakeholder types that a new consultation starts with (domain.md): who is asked for, and counted."""

from __future__ import annotations

from consult_app import audit
from consult_app.consultations.actions import consultation_created
from consult_app.consultations.models import Consultation, Level
from consult_app.db import db
from consult_app.i18n import Texts
from consult_app.policy import Actor
from consult_app.registrations.models import StakeholderType

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
    kind = StakeholderType(consultation_id=consultation_id, code=code, name=name, place=place)
    db.session.add(kind)
    audit.record(by, "stakeholder_type.add", kind)
    return kind


@consultation_created.connect
def _add_types(consultation: Consultation, by: Actor) -> None:
    is_local = consultation.level is Level.SUBNATIONAL
    codes = [code for code in TYPES if is_local or code not in LOCAL_ONLY]
    for place, code in enumerate(codes):
        add_stakeholder_type(consultation.id, code, TYPES[code], place, by=by)
