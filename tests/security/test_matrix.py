"""Every address, by every method, for every kind of person; and every id of another consultation in the place of one's own."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from werkzeug.routing import Rule

from consult_app.policy import TABLE, Role
from tests.comments.files import PDF
from tests.security.declared import ACCOUNT, DECLARED, DEMO, HALF, PUBLIC
from tests.security.world import Filled, Site

pytestmark = pytest.mark.xdist_group("matrix")  # the filled site is made once
O, C, F, R, P, V = Role.ORGANISER, Role.CHECK_IN, Role.FACILITATOR, Role.RAPPORTEUR, Role.FOCAL_POINT, Role.OBSERVER

# who asks -> the roles they have in our consultation
WHO: dict[str, set[Role]] = {
    "anonymous": set(),
    "organiser_elsewhere": set(),
    "participant_elsewhere": set(),
    "device_elsewhere": set(),
    "invitee": set(),  # an institution that names its people
    "invitee_person": set(),
    "device": set(),
    "participant": {Role.PARTICIPANT},
    "participant_other": {Role.PARTICIPANT},
    "check_in": {C},
    "facilitator": {F},
    "rapporteur": {R},
    "observer": {V},
    "focal_other": {P},  # named for section 3, where nothing of what is asked about lies
    "focal": {P, Role.NAMED},
    "administrator": {Role.ADMINISTRATOR},
    "organiser": {O},
}
USERS = {"organiser_elsewhere", "check_in", "facilitator", "rapporteur", "observer", "focal_other", "focal", "administrator", "organiser"}
PARTICIPANTS = {"participant", "participant_other", "participant_elsewhere"}
OWN = {
    "registration.own": PARTICIPANTS,
    "privacy.own": PARTICIPANTS,
    "checkin.self": PARTICIPANTS,
    "invitation.own": {"invitee", "invitee_person"},
}
OWN |= {key: {"participant"} for key in ("comment.withdraw", "comment.attach", "comment.object", "reply.withdraw")}
NOBODY = {"anonymous", "device", "device_elsewhere", "invitee", "invitee_person"}
FOR_THE_OTHER = {
    "invitee": {"invitation.accept", "invitation.delegate"},
    # a list that waits to be saved is its uploader's, who is the organiser
    **{key: {"desk.preview_matrix", "desk.apply_matrix", "desk.drop_matrix"} for key in ("rapporteur", "focal", "focal_other")},
    "participant_other": {"certificates.own"},  # has none
    "invitee_person": {"invitation.add_delegate", "invitation.replace_delegate", "invitation.withdraw_delegate"},
}

PLACES = {  # where another row than the first of its kind is needed for the verb to make sense
    "registrations.approve": "waiting", "registrations.refuse": "waiting", "registrations.restore": "waiting",
    "desk.decide": "open comment", "desk.draft_answer": "open comment", "desk.confirm": "open comment",
}  # fmt: skip
ASKED = {  # what belongs to an address behind its question mark
    "invitation_sending.letters_pdf": "reach=mail", "desk.together": "comment={open comment}",
    "desk.answer_together": "comment={open comment}", "desk.merge_together": "comment={open comment}",
}  # fmt: skip
NOW = dt.datetime.now(dt.UTC).isoformat()


def api_body(endpoint: str, ids: dict[str, str]) -> dict[str, Any]:
    """What a device would send; its shape is checked before anybody is asked who they are."""
    return {
        "api.pair": {"secret": "unknown", "client_key": "k" * 20},
        "api.check_in": {"nonce": "n2", "guest": ids["guests"]},
        "api.check_in_batch": {"device_now": NOW, "items": [{"nonce": "n3", "guest": ids["guests"]}]},
        "api.undo": {"reason": "a slip", "guest": ids["guests"]},
        "api.sign": {"nonce": ids["checkins"], "guest": ids["guests"], "strokes": [[1, 2, 3, 4]]},
        "api.walk_in": {"nonce": "n4", "name": "Walk In", "institution": "Office", "type": "government", "sex": "female"},
        "api.replace": {"nonce": "n5", "name": "Instead Of", "sex": "female"},
    }.get(endpoint, {})


@dataclass(frozen=True)
class Call:
    endpoint: str
    method: str
    path: str
    ids: tuple[str, ...]  # the places in the address that an id fills, without the slug


def keys_of(parts: list[str], place: int) -> list[str]:
    """Under which names the id of a place in an address may be known: "comments/import", "import"."""
    before = [part for part in parts[:place] if not part.startswith("<")]
    return ["/".join(before[-2:]), before[-1]]


def choices(rule: Rule) -> Iterator[str]:
    """The rule's address with each verb or format that it may name: <any(csv, xlsx):kind>."""
    pieces = re.split(r"<any\(([^)]*)\):\w+>", rule.rule)
    options = [[one.strip(" '") for one in piece.split(",")] if place % 2 else [piece] for place, piece in enumerate(pieces)]
    yield from ("".join(chosen) for chosen in itertools.product(*options))


def address(rule: Rule, pattern: str, made: Filled, other: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The rule's address with ids of a consultation; `other` gives an id for a key of its own, or a slug."""
    parts, used = pattern.split("/"), []
    filled = list(parts)
    for place, part in enumerate(parts):
        mark = re.search(r"<(?:(?P<kind>[^<>]*):)?(?P<name>\w+)>", part)
        if not mark:
            continue
        key = next((k for k in keys_of(parts, place) if k in made.ids), "")
        key = PLACES.get(rule.endpoint, key) if mark["name"] != "slug" else key
        if mark["name"] != "slug" and key:
            used.append(key)
        value = other.get(key) or made.ids.get(key, "none") if key else "none"
        filled[place] = part.replace(mark[0], value)
    return "/".join(filled), tuple(used)


def calls(app: Flask, made: Filled, other: dict[str, str] | None = None) -> Iterator[Call]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        for pattern in choices(rule):
            path, ids = address(rule, pattern, made, other or {})
            if rule.endpoint in ASKED:
                path += "?" + ASKED[rule.endpoint].format_map({**made.ids, **(other or {})})
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield Call(rule.endpoint, method, path, ids)


def send(site: Site, who: str, call: Call, ids: dict[str, str] | None = None, **more: Any) -> str:
    """The outcome in a word: allowed, sign-in, 403, 404, or a status that should not be."""
    if call.path.startswith("/api/") and call.method == "POST" and not more:
        more = {"json": api_body(call.endpoint, ids or site.ours.ids)}
    elif call.method == "POST" and not more:
        ids = ids or site.ours.ids
        more = {"data": {"code": ids["indicators"], "comment": ids["open comment"]}}
    answer = site.ask(who, call.method, call.path, **more)
    status, location = answer.status_code, answer.headers.get("Location", "")
    answer.close()
    if status == 401 or (300 <= status < 400 and location.startswith(("/sign-in", "/invitation"))):
        return "sign-in"
    if status < 400 or status in (400, 409, 422):
        return "allowed"
    return str(status)


def is_let_in(who: str, endpoint: str, action: str) -> bool:
    roles = set(TABLE[action])
    if endpoint.startswith("api."):
        return who == "device" and Role.OWNER in roles
    return bool(WHO[who] & roles) or Role.ANYONE in roles or (Role.OWNER in roles and who in OWN.get(action, set()))


def best(endpoint: str) -> str | None:
    """Who may do the most of those that the endpoint lets in."""
    if DECLARED[endpoint] not in TABLE:
        return None
    found = [who for who in reversed(WHO) if is_let_in(who, endpoint, DECLARED[endpoint])]
    return next((who for who in found if endpoint not in FOR_THE_OTHER.get(who, ())), None)


def expected(who: str, endpoint: str, path: str = "") -> set[str]:
    """What may come of it. A stranger learns nothing (404); a member without the role is told so (403)."""
    action = DECLARED[endpoint]
    if endpoint == "documents.print_papers" and not path.endswith("/badges"):
        action = "document.print"  # who checks in prints badges and nothing else
    if action == PUBLIC:
        return {"allowed", "404"}
    if action == DEMO:
        return {"404"}
    if action in (ACCOUNT, HALF):
        if endpoint in ("accounts.remove_passkey", "accounts.end_session") and who in USERS - {"administrator"}:
            return {"404"}  # whose it is not
        return {"allowed"} if who in USERS and action == ACCOUNT else {"sign-in"}
    if who in FOR_THE_OTHER and endpoint in FOR_THE_OTHER[who]:
        return {"404"}
    if action == "consultation.create" and who == "organiser_elsewhere":
        return {"allowed"}
    if is_let_in(who, endpoint, action):
        return {"allowed"}
    if endpoint.startswith("api."):
        return {"404"} if who.startswith("device") else {"sign-in"}
    # a device's token counts at the API only, and the link of an invitation on its own pages
    if who in NOBODY or action == "invitation.own":
        return {"sign-in"}
    if action in OWN or action == "consultation.create":
        return {"403", "404"}  # nothing of a consultation is named
    return {"403"} if WHO[who] else {"404"}


def test_every_endpoint_is_declared_and_no_other(site: Site) -> None:
    assert {rule.endpoint for rule in site.app.url_map.iter_rules()} == set(DECLARED)
    assert set(DECLARED.values()) - {PUBLIC, ACCOUNT, HALF, DEMO} <= set(TABLE)


def test_for_each_endpoint_somebody_may(site: Site) -> None:
    """Else its line of the matrix would prove nothing."""
    assert [e for e, action in DECLARED.items() if action in TABLE and best(e) is None] == []


@pytest.mark.parametrize("who", WHO)
def test_routes_by_methods_by_roles(site: Site, who: str) -> None:
    wrong = []
    for call in calls(site.app, site.ours):
        may = expected(who, call.endpoint, call.path)
        got = send(site, who, call)
        if got not in may:
            wrong.append((call.method, call.path, got, may))
        if site.put_back() and (got != "allowed" or call.method == "GET"):
            wrong.append((call.method, call.path, "something was written"))
    assert wrong == []


# -- ids of another consultation --

NUMBERS = {"revisions", "evidence"}  # they count inside what stands before them


def test_an_id_of_another_consultation_is_404_wherever_it_stands_in_an_address(site: Site) -> None:
    tried, wrong = 0, []
    for key in {key for call in calls(site.app, site.ours) if best(call.endpoint) for key in call.ids} - NUMBERS:
        swapped_calls = calls(site.app, site.ours, {key: site.theirs.ids[key]})
        for call, swapped in zip(calls(site.app, site.ours), swapped_calls, strict=True):
            who = best(call.endpoint)
            if who is None or key not in call.ids:
                continue
            tried += 1
            got = send(site, who, swapped)
            if got != "404" or site.put_back():
                wrong.append((who, swapped.method, swapped.path, got))
    assert tried > 130
    assert wrong == []


# who may be whatever their own consultation is: for what everybody sees, and for one's own row
FOR_ALL = {"event.see", "consultation.see", "consultation.create", "report.public"}


def test_a_slug_of_another_consultation_is_404_with_ids_of_ones_own_and_of_its_own(site: Site) -> None:
    """The other consultation in the address, and there the ids of ours, or all of theirs."""
    tried, wrong = 0, []
    slugs = {key: site.theirs.ids[key] for key in ("consultations", "events")}
    plain = list(calls(site.app, site.ours))
    for foreign in (slugs, site.theirs.ids):
        for call, swapped in zip(plain, calls(site.app, site.ours, foreign), strict=True):
            who = best(call.endpoint)
            if who in (None, "administrator") or DECLARED[call.endpoint] in FOR_ALL or swapped.path == call.path:
                continue
            tried += 1
            got = send(site, str(who), swapped)
            if got != "404" or site.put_back():
                wrong.append((who, swapped.method, swapped.path, got))
    assert tried > 400
    assert wrong == []


def foreign_fields(theirs: Filled) -> dict[str, Any]:
    """What a form or a query could name, with the other consultation's ids."""
    ids, more = theirs.ids, theirs.fields
    person, comment = more["person"], ids["open comment"]
    return {
        "registration": [person, ids["waiting"]], "comment": [comment, ids["comments"]], "answers": [comment], "stays": comment,
        "speaker": person, "guest": person, "code": more["ticket"], "institution": more["institution"], "section": more["section"],
        "sections": [more["section"]], "user": more["user"], "deputy": more["deputy"], "point": more["point"], "place": more["point"],
        "dimension": more["dimension"], "dimension_id": more["dimension"], "stakeholder_type": more["type"], "type": more["type"],
        "template": theirs.ids["events"], "facilitator": more["staff"], "rapporteur": more["staff"], "list": ids["sessions"],
        "room": ids["rooms"], "hold": comment, "proposal": comment, "columns": ids["questions"], "columns_of": ids["questions"],
    }  # fmt: skip


TELLS = re.compile(rb"of theirs|p@theirs")


def legible(data: bytes) -> bytes:
    """What a file says: the files of an archive (XLSX, DOCX), the text of a PDF, else what it is."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"\n".join(archive.read(name) for name in archive.namelist())
    if data.startswith(b"%PDF") and data != PDF:  # which was put there
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).encode()
    return data


def test_ids_of_another_consultation_in_forms_and_filters_touch_and_tell_nothing(site: Site) -> None:
    """Every address, pages, exports and streams too, with every field that could name something of the other consultation."""
    given, before, wrong = foreign_fields(site.theirs), site.rows(), []
    for call in calls(site.app, site.ours):
        who = best(call.endpoint)
        if who is None:
            continue
        path = call.path.split("?")[0]
        more = {"query_string": given} if call.method == "GET" else {"data": given}
        if path.startswith("/api/"):
            more = {"json": {**api_body(call.endpoint, site.theirs.ids), "code": given["code"]}} if call.method == "POST" else {}
        answer = site.ask(who, call.method, path, **more)
        data = next(iter(answer.response), b"") if path.endswith("/stream") else legible(answer.data)
        told, status = TELLS.search(data), answer.status_code
        answer.close()
        if status >= 500 or told:
            wrong.append((who, call.method, path, status, told and data[max(0, told.start() - 80) : told.end() + 40]))
        if site.is_changed() and (site.rows() != before or site.links() != site.known_links or site.mentions() != site.known_mentions):
            wrong.append((who, call.method, path, "changed", site.links(), site.mentions()))
        site.put_back()
    assert wrong == []


def bulk(site: Site) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What takes ids in its body, with all else that it needs to go through: who, where, what."""
    ours, ids, more = site.ours, site.theirs.ids, site.theirs.fields
    event, home, room = f"/events/{ours.event.slug}", f"/consultations/{ours.consultation.slug}", f"/rooms/{ours.ids['rooms']}"
    comment, person = ids["open comment"], more["person"]
    answer = {"kind": "accepted", "response": "Yes."}
    for verb in ("approve", "cancel"):
        yield "organiser", f"{event}/registrations/bulk/{verb}", {"registration": [person, ids["waiting"]]}
    for kind in ("badges", "tent-cards", "certificates"):
        yield "organiser", f"{event}/documents/{kind}", {"registration": [person], "language": "en", "paper": "a4", "per_sheet": "8"}
    yield "focal", f"{home}/comments/together", {**answer, "comment": [comment, ids["comments"]]}
    yield "focal", f"{home}/comments/merge", {"comment": [comment, ids["comments"]], "stays": comment}
    yield "focal", f"{home}/comments/{ours.ids['open comment']}/decide", {**answer, "kind": "duplicate", "duplicate_of": "999"}
    yield "organiser", f"{home}/comments/{ours.ids['open comment']}/assign", {"institution": more["institution"]}
    yield "organiser", f"{home}/sections/1/carry", {"comment": [ids["comments"]]}
    yield "participant", f"{room}/endorse", {"comment": comment}
    for verb in ("pin", "release", "lower"):
        yield "organiser", f"{room}/do", {"do": f"{verb} {comment}"}
    yield "organiser", f"{room}/do", {"do": "show", "code": "4.1"}
    yield "organiser", f"{room}/hold", {"comment": comment, "reason": "no"}
    spoken = {"code": "1.1", "speaker": person, "kind": "context", "text": "Said", "client_key": "spoken"}
    yield "rapporteur", f"{room}/record", spoken
    yield "rapporteur", f"{home}/indicators/1.1/record", spoken
    yield "organiser", f"{home}/team/focal-points", {"section": more["section"], "user": more["user"], "institution": "X"}
    yield "organiser", f"{home}/team/focal-points", {"section": site.ours.fields["section"], "user": more["user"], "institution": "X"}
    yield "organiser", f"{home}/team/invite", {"email": "new@example.org", "role": "focal_point", "sections": [more["section"]]}
    day = dt.date.today().isoformat()  # noqa: DTZ011
    yield "focal", f"{home}/deputies/name", {"deputy": more["deputy"], "starts_on": day, "ends_on": day, "reason": "Away"}
    yield "organiser", f"{event}/messages/write", {
        "registration": [person], "subject-en": "S", "body-en": "B", "subject-id": "S", "body-id": "B", "step": "send", "client_key": "m2",
    }  # fmt: skip
    sent = {"subject-en": "S", "body-en": "B", "subject-id": "S", "body-id": "B", "step": "send", "client_key": "message-theirs"}
    yield "organiser", f"{event}/messages/write", sent
    yield "anonymous", f"{event}/register", {
        "name": "New", "institution": "Office", "email": "new@example.org", "sex": "female", "taking_part": "y", "language": "en",
        "phone": "", "stakeholder_type": "government", "client_key": "form-theirs",
    }  # fmt: skip
    yield "check_in", f"{event}/desk", {"code": more["ticket"]}
    row = {"text_en": "Do it", "institution": more["institution"]}
    yield "organiser", f"{home}/follow-up/{ours.ids['follow-up']}/change", row


def test_bulk_actions_and_choices_with_ids_of_another_consultation_change_nothing_of_it(site: Site) -> None:
    before, wrong, done = site.rows(), [], {}
    for who, path, data in bulk(site):
        answer = site.ask(who, "POST", path, data=data)
        done[path] = answer.status_code
        told = TELLS.search(legible(answer.data))
        is_touched = site.rows() != before or site.links() != site.known_links or site.mentions() != site.known_mentions
        if answer.status_code >= 500 or told or is_touched:
            wrong.append((who, path, answer.status_code, told, site.links(), site.mentions()))
        site.put_back()
    assert wrong == []
    # a form that was sent for one event, sent again for another: not even an answer that would tell of the first
    assert (done[f"/events/{site.ours.event.slug}/register"], done[f"/events/{site.ours.event.slug}/messages/write"]) == (409, 409)
