"""A list of institutions and people to invite: read, judged row by row, shown, and only then saved, all or nothing (rule 2)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from consult_app import audit
from consult_app.addresses import address_key
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.events.models import Event
from consult_app.i18n import _, gettext, local
from consult_app.invitations.actions import Guest, invite
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.policy import Actor
from consult_app.registrations import imports as people
from consult_app.registrations.models import Institution, Sex, StakeholderType
from consult_app.registrations.phones import e164
from consult_app.registrations.queries import stakeholder_types
from consult_app.registrations.titles import name_key, split_titles
from consult_app.sheets import Fault, Sheet, fold, table

_OWN = {
    "name": (
        "Nama undangan",
        "Nama peserta",
        "Nama pejabat",
        "Nama kontak",
        "Nama narahubung",
        "Contact",
        "Contact name",
        "Contact person",
    ),
    "institution": ("Nama instansi", "Instansi/Lembaga", "Kementerian/Lembaga", "Asal instansi", "OPD", "Perangkat daerah"),
    "type": ("Kategori", "Category", "Kelompok"),
    "sex": ("JK", "P/L"),
    "email": ("Email address", "Alamat email", "Alamat e-mail"),
    "phone": ("No. HP/WA", "HP/WA", "Nomor HP", "Nomor telepon", "No Telp", "No. WA", "Telepon/WA", "Phone number", "Mobile"),
    "position": ("Title", "Job title"),
}
_TAKEN = ("name", "institution", "type", "sex", "email", "phone", "salutation", "title_before", "title_after", "position", "language")
HEADINGS: dict[str, tuple[str, ...]] = {name: people.HEADINGS[name] + _OWN.get(name, ()) for name in _TAKEN} | {
    "kind": ("Kind of invitation", "Jenis undangan", "Invited as", "Diundang sebagai"),
    "seats": ("Seats", "Kursi", "Number of delegates", "Jumlah delegasi", "Jumlah peserta", "Jumlah orang"),
}
KIND = {
    **dict.fromkeys(("institution", "instansi", "lembaga", "organisation", "organization"), InvitationKind.INSTITUTION),
    **dict.fromkeys(("person", "orang", "perorangan", "perseorangan", "pribadi"), InvitationKind.PERSON),
}
_MOST = {"salutation": 40, "title_before": 60, "title_after": 60, "phone": 40}


@dataclass
class Row:
    """One row and what will happen: "new", "known" (invited already, left as it is) or "same" (as an earlier row)."""

    sheet: str
    row: int
    verdict: str
    values: dict[str, str]
    note: str = ""


@dataclass
class InvitationList:
    """A file as it was judged; with a fault nothing of it can be saved."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"rows": [asdict(row) for row in self.rows], "faults": [asdict(fault) for fault in self.faults]}


@dataclass
class Ground:
    """What a row is judged by: the types by every name they go by, the institutions, who is invited, region and languages."""

    types: dict[str, StakeholderType]
    institutions: dict[str, str]  # folded name -> code of its stakeholder type
    invited: dict[tuple[str, ...], str]  # the marks of each invitation -> whom it names
    region: str
    languages: list[str]


def ground(event: Event) -> Ground:
    consultation = event.consultation
    types = {key: t for t in stakeholder_types(consultation.id) for key in (fold(t.code), *map(fold, t.name.values()))}
    codes = {t.id: t.code for t in types.values()}
    institutions = {
        key: codes[kind]
        for key, kind in db.session.execute(
            select(Institution.key, Institution.stakeholder_type_id).where(Institution.consultation_id == consultation.id)
        ).tuples()
    }
    return Ground(types, institutions, invited(event), consultation.territory[:2], consultation.languages)


def invited(event: Event) -> dict[tuple[str, ...], str]:
    """The marks by which somebody is recognised as invited to this event already, withdrawn or not."""
    rows = db.session.execute(
        select(EventInvitation.kind, EventInvitation.email, EventInvitation.name, Institution.key)
        .join(EventInvitation.institution)
        .where(EventInvitation.event_id == event.id)
    ).tuples()
    return {mark: name for kind, email, name, place in rows for mark in marks(kind, email, name, place)}


def marks(kind: str, email: str, name: str, place: str) -> list[tuple[str, ...]]:
    """What makes two rows the same: of persons the address, or name and institution; of institutions their name."""
    if kind == InvitationKind.INSTITUTION:
        return [("institution", fold(place))]
    return [("person", fold(place), name_key(name)), *([("address", address_key(email))] if email else [])]


def judge(filename: str, sheets: list[Sheet], known: Ground) -> InvitationList:
    """Judge every row. Raises Invalid where the file as a whole has no list in it."""
    found, result = table(filename, sheets, HEADINGS, ("institution",)), InvitationList()
    seen: dict[tuple[str, ...], Row] = {}
    for raw in found.rows:
        values = {name: str(raw.get(name, "")) for name in HEADINGS}
        if not values["institution"] and not values["name"]:
            continue  # a note or a signature under the list
        row = Row(raw["_sheet"], raw["_row"], "new", values)
        faults = [Fault(row.sheet, row.row, HEADINGS[column][0], reason) for column, reason in _wrong(values, known)]
        own = marks(values["kind"], values["email"], values["name"], values["institution"])
        earlier = next((seen[mark] for mark in own if mark in seen), None)
        invited_as = next((known.invited[mark] for mark in own if mark in known.invited), None)
        if earlier is not None and own[0] not in seen and name_key(earlier.values["name"]) != name_key(values["name"]):
            reason = gettext("The same address stands in row %(row)s with another name. Leave it empty in one of them.", row=earlier.row)
            faults.append(Fault(row.sheet, row.row, HEADINGS["email"][0], reason))
        elif earlier is not None:
            row.verdict, row.note = "same", str(earlier.row)
        elif invited_as is not None:
            row.verdict, row.note = "known", invited_as
        for mark in own:
            seen.setdefault(mark, row)
        result.faults += faults
        result.rows.append(row)
    return result


def _wrong(values: dict[str, str], known: Ground) -> list[tuple[str, str]]:
    """Every fault of one row as (field, reason); what can be put into its usual form is."""
    wrong = [(name, gettext("It has more than %(most)s characters.", most=_MOST.get(name, 200)))
             for name, words in values.items() if len(words) > _MOST.get(name, 200)]  # fmt: skip
    if wrong:
        values.update({name: words[:200] for name, words in values.items()})
    wrong += _place(values, known)
    wrong += _naming(values)
    for name, meanings in (("sex", people.SEX), ("kind", KIND)):
        meaning = meanings.get(fold(values[name]))
        if meaning is None:
            wrong.append((name, gettext("“%(value)s” is not understood.", value=values[name])))
        else:
            values[name] = meaning.value
    wrong += _ways(values, known.region)
    spoken = values["language"].lower()
    values["language"] = spoken if spoken in ("en", "id") else known.languages[0]
    return wrong


def _place(values: dict[str, str], known: Ground) -> list[tuple[str, str]]:
    """The institution and its stakeholder type; that of an institution we know need not be told."""
    if not fold(values["institution"]):
        return [("institution", gettext("It is empty."))]
    code = known.institutions.get(fold(values["institution"]))
    if fold(values["type"]) in known.types:
        values["type"] = known.types[fold(values["type"])].code
    elif code is not None and not values["type"]:
        values["type"] = code
    else:
        names = ", ".join(local(t.name) for t in dict.fromkeys(known.types.values()))
        return [("type", gettext("“%(value)s” is not one of: %(names)s.", value=values["type"], names=names))]
    return []


def _naming(values: dict[str, str]) -> list[tuple[str, str]]:
    """Titles typed inside the name move to their own columns; a row without a name invites the institution."""
    salutation, before, name, after = split_titles(values["name"])
    values["name"] = name
    for key, found in (("salutation", salutation), ("title_before", before), ("title_after", after)):
        if found and not values[key]:
            values[key] = found[: _MOST[key]]
    values["kind"] = values["kind"] or (InvitationKind.PERSON if name else InvitationKind.INSTITUTION).value
    if name and not any(c.isalpha() for c in name):
        return [("name", gettext("“%(value)s” is not a name.", value=name))]
    if not name and KIND.get(fold(values["kind"])) is InvitationKind.PERSON:
        return [("name", gettext("It is empty."))]
    return []


def _ways(values: dict[str, str], region: str) -> list[tuple[str, str]]:
    wrong = []
    if values["email"]:
        try:
            values["email"] = validate_email(values["email"], check_deliverability=False, test_environment=True).normalized
        except EmailNotValidError:
            wrong.append(("email", gettext("“%(value)s” is not an e-mail address.", value=values["email"])))
    if values["phone"]:
        try:
            values["phone"] = e164(_as_typed(values["phone"]), region)
        except ValueError:
            wrong.append(("phone", gettext("“%(value)s” is not a phone number.", value=values["phone"])))
    if values["seats"] and not (values["seats"].isdecimal() and 1 <= int(values["seats"]) <= 1000):
        wrong.append(("seats", gettext("“%(value)s” is not a number from 1 to 1,000.", value=values["seats"])))
    return wrong


def _as_typed(phone: str) -> str:
    """A number whose leading zero or plus a spreadsheet has eaten ("81234…", "6281234…"), with it again."""
    digits = "".join(c for c in phone if c.isdigit())
    if phone.strip().startswith(("+", "0", "(")) or not digits.startswith(("8", "62")):
        return phone
    return f"+{digits}" if digits.startswith("62") else f"0{digits}"


@audit.in_turn
def apply_list(event: Event, rows: list[dict[str, Any]], *, by: Actor) -> int:
    """Put the new ones of a judged list on the event's list; returns how many. Nothing is sent."""
    types = {kind.code: kind for kind in stakeholder_types(event.consultation_id)}
    now_invited, new = invited(event), 0
    for row in rows:
        values = row["values"]
        own = marks(values["kind"], values["email"], values["name"], values["institution"])
        if row["verdict"] != "new" or any(mark in now_invited for mark in own):
            continue
        if values["type"] not in types:
            raise Conflict(_("The stakeholder types have changed since. Upload the file again."))
        plain = ("institution", "salutation", "title_before", "name", "title_after", "position", "email", "phone", "language")
        guest = Guest(
            **{name: values[name] for name in plain},
            kind=InvitationKind(values["kind"]),
            stakeholder_type=types[values["type"]],
            seats=int(values["seats"]) if values["seats"] else None,
            sex=Sex(values["sex"]),
        )
        invite(event, guest, by=by, is_judged=True)
        now_invited |= dict.fromkeys(own, values["name"])
        new += 1
    return new
