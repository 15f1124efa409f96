"""A list of people from a spreadsheet: read, judged row by row, shown, and only then saved, all or nothing (rule 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from consult_app import audit
from consult_app.addresses import address_key
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.events.models import Event
from consult_app.i18n import _, gettext, local
from consult_app.policy import Actor
from consult_app.registrations.actions import Details, register
from consult_app.registrations.models import (
    Attendance,
    ParticipantRole,
    Person,
    Registration,
    RegistrationState,
    Sex,
    Source,
    StakeholderType,
)
from consult_app.registrations.phones import normal_phone
from consult_app.registrations.queries import stakeholder_types
from consult_app.sheets import Fault, fold, read, table, unhurried

HEADINGS = {
    "name": ("Name", "Nama", "Full name", "Nama lengkap"),
    "institution": ("Institution", "Instansi", "Lembaga", "Organisation", "Organization"),
    "type": ("Stakeholder type", "Jenis pemangku kepentingan", "Pemangku kepentingan", "Type", "Jenis"),
    "sex": ("Sex", "Jenis kelamin", "Gender", "L/P", "F/M"),
    "email": ("E-mail", "E-mail address", "Surel", "Alamat surel", "Email"),
    "phone": ("Phone", "WhatsApp", "Telepon", "No HP", "Nomor WhatsApp", "WhatsApp number"),
    "salutation": ("Salutation", "Sapaan"),
    "title_before": ("Title before", "Gelar depan"),
    "title_after": ("Title after", "Gelar belakang"),
    "position": ("Position", "Jabatan"),
    "unit": ("Unit", "Unit kerja"),
    "attendance": ("Takes part", "Mode", "Kehadiran", "Luring/daring"),
    "role": ("Role", "Peran"),
    "diet": ("Diet", "Kebutuhan makanan"),
    "accommodations": ("Accommodations", "Kebutuhan aksesibilitas"),
    "language": ("Language", "Bahasa"),
}
SEX = {
    **dict.fromkeys(("f", "p", "female", "perempuan", "wanita", "woman"), Sex.FEMALE),
    **dict.fromkeys(("m", "l", "male", "laki laki", "pria", "man"), Sex.MALE),
    **dict.fromkeys(("other", "lainnya"), Sex.OTHER),
    **dict.fromkeys(("", "undisclosed", "prefer not to say", "tidak disebutkan"), Sex.UNDISCLOSED),
}
ATTENDANCE = {
    **dict.fromkeys(("", "in person", "luring", "hadir"), Attendance.IN_PERSON),
    **dict.fromkeys(("online", "daring"), Attendance.ONLINE),
}
ROLE = {
    **{role.value: role for role in ParticipantRole},
    "": ParticipantRole.PARTICIPANT,
    "peserta": ParticipantRole.PARTICIPANT,
    "narasumber": ParticipantRole.SPEAKER,
    "fasilitator": ParticipantRole.FACILITATOR,
    "notulis": ParticipantRole.RAPPORTEUR,
    "penyelenggara": ParticipantRole.ORGANISER,
}
PLAIN = ("name", "institution", "salutation", "title_before", "title_after", "position", "unit", "diet", "accommodations")


@dataclass
class Row:
    """One person of the file and what will happen: "new" or "known" (registered already, and left as they are)."""

    sheet: str
    row: int
    verdict: str
    values: dict[str, str]


@dataclass
class PeopleList:
    """A file as it was judged; with a fault nothing of it can be saved."""

    rows: list[Row]
    faults: list[Fault]

    def as_json(self) -> dict[str, Any]:
        return {"rows": [asdict(row) for row in self.rows], "faults": [asdict(fault) for fault in self.faults]}


def read_list(filename: str, data: bytes, event: Event) -> PeopleList:
    """Read and judge a list. Raises Invalid where the file as a whole cannot be read."""
    found = table(filename, read(filename, data), HEADINGS, ("name", "institution", "type"))
    types = {key: t for t in stakeholder_types(event.consultation_id) for key in (fold(t.code), *map(fold, t.name.values()))}
    known = _registered(event)
    people = PeopleList([], [])
    seen: dict[str, int] = {}
    for raw in unhurried(found.rows):
        values = {name: str(raw.get(name, "")) for name in HEADINGS}
        where, faults = (raw["_sheet"], raw["_row"]), []
        for column, reason in _wrong(values, types, event):
            faults.append(Fault(*where, HEADINGS[column][0], reason))
        email = address_key(values["email"])
        if email and email in seen:
            faults.append(Fault(*where, HEADINGS["email"][0], gettext("The same address stands in row %(row)s.", row=seen[email])))
        seen.setdefault(email, raw["_row"])
        people.faults += faults
        people.rows.append(Row(*where, "known" if email and email in known else "new", values))
    return people


def _registered(event: Event) -> set[str]:
    rows = db.session.scalars(
        select(Person.email)
        .join(Registration, Registration.person_id == Person.id)
        .where(Registration.event_id == event.id, Registration.state.in_([RegistrationState.CONFIRMED, RegistrationState.WAITING]))
    )
    return {email for email in rows if email}


def _wrong(values: dict[str, str], types: dict[str, StakeholderType], event: Event) -> list[tuple[str, str]]:
    """Every fault of one row as (field, reason); what can be put into its usual form is."""
    wrong = []
    for name in ("name", "institution"):
        if not values[name]:
            wrong.append((name, gettext("It is empty.")))
    for name, words in values.items():
        if len(words) > 200:
            wrong.append((name, gettext("It has more than 200 characters.")))
    if fold(values["type"]) not in types:
        names = ", ".join(local(t.name) for t in dict.fromkeys(types.values()))
        wrong.append(("type", gettext("“%(value)s” is not one of: %(names)s.", value=values["type"], names=names)))
    else:
        values["type"] = types[fold(values["type"])].code
    for name, meanings in (("sex", SEX), ("attendance", ATTENDANCE), ("role", ROLE)):
        meaning = meanings.get(fold(values[name]))
        if meaning is None:
            wrong.append((name, gettext("“%(value)s” is not understood.", value=values[name])))
        else:
            values[name] = meaning.value
    if values["email"]:
        try:
            values["email"] = validate_email(values["email"], check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            wrong.append(("email", gettext("“%(value)s” is not an e-mail address.", value=values["email"])))
    if values["phone"]:
        try:
            values["phone"] = normal_phone(values["phone"], event.consultation.territory[:2])
        except ValueError:
            wrong.append(("phone", gettext("“%(value)s” is not a phone number.", value=values["phone"])))
    values["language"] = values["language"].lower() if values["language"].lower() in ("en", "id") else event.consultation.languages[0]
    return wrong


@audit.in_turn
def apply_list(event: Event, rows: list[dict[str, Any]], *, by: Actor, send: bool) -> tuple[int, int]:
    """Register everybody of a judged list; returns how many are new, and how many of these wait for a seat."""
    types = {kind.code: kind for kind in stakeholder_types(event.consultation_id)}
    new = waiting = 0
    for row in unhurried(rows):
        values = row["values"]
        if values["type"] not in types:
            raise Conflict(_("The stakeholder types have changed since. Upload the file again."))
        details = Details(
            **{name: values[name] for name in PLAIN},
            stakeholder_type=types[values["type"]],
            email=values["email"],
            phone=values["phone"],
            sex=Sex(values["sex"]),
            attendance=Attendance(values["attendance"]),
            role=ParticipantRole(values["role"]),
            language=values["language"],
        )
        registration, is_new = register(event, details, by=by, source=Source.IMPORT, send=send and row["verdict"] == "new")
        new += is_new
        waiting += is_new and registration.is_waiting
    return new, waiting
