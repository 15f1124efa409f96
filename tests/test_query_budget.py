"""How often each page asks the database: as often with many rows as with few, and at most twelve times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event as sa_event
from sqlalchemy import select

from consult_app.accounts.actions import add_role
from consult_app.attendance import devices
from consult_app.db import db
from consult_app.documents import actions as documents
from consult_app.invitations.links import PURPOSE
from consult_app.invitations.models import InvitationKind
from consult_app.messages import actions as messages
from consult_app.outcomes import actions as outcomes
from consult_app.policy import MEMBER_ROLES
from consult_app.privacy import actions as privacy
from consult_app.privacy.models import RequestKind
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import secret
from tests import factories
from tests.bulk import multiply
from tests.invitations.conftest import make_invitation
from tests.postgresql import postgresql_server
from tests.world import World, filled, make_world

BUDGET = 12
FEW, MANY = 20, 59  # copies of four people with eight comments, and copies of those
NOT_ASKED = frozenset({"room.events"})  # a stream of what room.now gives once
# What stands in them is all there is, in parts of 500 rows: counted with some hundred comments, not with ten thousand.
WHOLE = frozenset({
    "desk.matrix", "reports.draft", "outcomes.export", "documents.sheet", "documents.minutes", "documents.record", "documents.participants",
    "registrations.export", "consultations.edit_finding", "consultations.edit_section",
})  # fmt: skip
KINDS = 3  # a page of many rows may hold kinds of rows that one of few does not, and each is one statement more

# Over the budget, with their number, which may only fall: two files that hold all there is, of somebody and of a consultation,
# with a statement for each kind of row. Under the Chatham House Rule one more asks which stakeholder types are told as one.
OVER = {
    "comments.indicator": 13,
    "privacy.take_along": 24,
    "reports.draft": 18,
    "room.console": 13,  # the questions of its indicators, as the revisions have them
    "room.follow": 14,
}
# Not read by this test: what needs a secret of a moment, a file being imported, or a state that this consultation is not in.
NOT_READ = {
    "accounts.remove_passkey",
    "accounts.reset_password",
    "accounts.second_factor",
    "consultations.accept_invitation",
    "consultations.preview_import",
    "desk.preview_matrix",
    "desk.together",
    "documents.printout_file",
    "invitation.add_delegate",
    "invitation.replace_delegate",
    "invitation_import.preview",
    "invitation_sending.letters_pdf",
    "monitor.metrics",
    "outcomes.undo_step",
    "people_import.preview",
    "registrations.edit_question",
    "reports.certificate",
    "reports.download",
    "reports.paper",
    "reports.present_certificate",
    "reports.report_page",
    "reports.withdraw",
    "room.events",
    "static",
}
# Read by going through a whole table, although it is large: none.
SCANNED: set[tuple[str, str]] = set()


@pytest.fixture
def world(app: Flask) -> World:
    return surrounded(make_world())


def surrounded(made: World) -> World:
    """With what stands around it: invitations, devices, messages, certificates, follow-ups, requests."""
    event, consultation = made.event, made.consultation
    people = list(db.session.scalars(select(Registration).where(Registration.event_id == event.id)))
    invited = make_invitation(event, InvitationKind.INSTITUTION, institution="Office of Invitations", seats=3)
    device, _pairing = devices.create_token(event, "Desk 1", by=factories.BY)
    texts = {"en": "News", "id": "Kabar"}
    message = messages.send(event, people, texts, texts, by=factories.BY, client_key="a-message-of-the-world")
    row = outcomes.add_follow_up(consultation, texts, people[0].institution, "A contact", None, by=factories.BY)
    asked = privacy.ask(people[0], RequestKind.CORRECT, "My name, please", by=people[0])
    letterhead = {
        "heading": {"en": "Ministry", "id": "Kementerian"},
        "place": "Jakarta",
        "signatory_name": "Dr. Wulan Sari",
        "number_pattern": "{number}",
    }
    documents.save_letterhead(event, letterhead, by=factories.BY)
    issued = documents.issue(event, people, by=factories.BY)
    printout = documents.queue_print(
        event, "badges", people, {"paper": "a4", "per_sheet": 8, "start": 0, "language": "en"}, by=factories.BY
    )
    db.session.commit()
    made.ids |= {
        "invitations": [invited.public_id], "devices": [device.public_id], "messages": [message.public_id], "follow-up": [row.public_id],
        "data-requests": [asked.public_id], "certificates": [issued[0].public_id], "prints": [printout.public_id],
        "agenda": [event.sessions[0].public_id], "stakeholder-types": [people[0].stakeholder_type.public_id], "r": made.ids["rooms"],
    }  # fmt: skip
    return made


@dataclass
class Seen:
    """What one page asked of the database."""

    path: str
    endpoint: str
    reader: str
    statements: list[tuple[str, Any]]


def readers(app: Flask, world: World, browse: Any) -> dict[str, Callable[[str], Any]]:
    """Somebody for every page: a member with all roles, a participant, a guest, a device, and nobody."""
    member = factories.make_user(administrator=True, name="Member of All")
    for role in MEMBER_ROLES:
        add_role(member, world.consultation.id, role, by=factories.BY, institution="Ministry of Tests")
    for section in world.consultation.sections:
        factories.name_focal_point(section, member)
    (speaker,) = db.session.scalars(select(Registration).where(Registration.public_id == world.ids["registrations"][0]))
    guest = make_invitation(world.event, name="Guest of Tests", email="guest@example.org")
    _device, token = devices.create_token(world.event, "Desk 2", by=factories.BY)
    invited = browse()
    db.session.commit()
    assert invited.post("/invitation", data={"token": secret(PURPOSE, guest.seed)}).status_code == 303
    clients = {"member": browse(member), "participant": browse(speaker), "guest": invited, "nobody": browse()}
    asking: dict[str, Callable[[str], Any]] = {name: client.get for name, client in clients.items()}
    device = browse()
    asking["device"] = lambda path: device.get(path, headers={"Authorization": f"Bearer {token}"})
    return asking


def crawl(app: Flask, world: World, asking: dict[str, Callable[[str], Any]], but: frozenset[str]) -> dict[tuple[str, str], Seen]:
    """Every page that one of the readers gets, by path and reader."""
    found: dict[tuple[str, str], Seen] = {}
    now: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SET", "SAVEPOINT", "RELEASE")):
            now.append((statement, parameters))

    urls = app.url_map.bind("127.0.0.1")
    sa_event.listen(db.engine, "before_cursor_execute", note)
    for path in filled(app, world):
        endpoint = urls.match(path.split("?")[0])[0]
        if endpoint in but:
            continue
        for reader, ask in asking.items():
            if reader not in ("member", "participant") and any((path, other) in found for other in asking):
                continue
            app.extensions["hub"]._kept.clear()  # a fragment that is kept would ask nothing
            now.clear()
            if ask(path).status_code == 200:
                found[path, reader] = Seen(path, endpoint, reader, list(now))
    sa_event.remove(db.engine, "before_cursor_execute", note)
    return found


def scans(many: dict[tuple[str, str], Seen], rows: dict[str, int]) -> set[tuple[str, str]]:
    """Where the database can find rows of a large table only by reading all of it: endpoint and table."""
    statements = {statement: (seen.endpoint, parameters) for seen in many.values() for statement, parameters in seen.statements}
    large = {name for name, count in rows.items() if count > 1000}
    found = set()
    is_sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        if not is_sqlite:
            connection.exec_driver_sql("SET enable_seqscan = off")  # where it reads all of a table all the same, no index would do
        for statement, (endpoint, parameters) in statements.items():
            if not statement.lstrip("( ").startswith(("SELECT", "WITH")):
                continue
            plan = connection.exec_driver_sql(f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {statement}", parameters)
            words = "\n".join(str(line[3] if is_sqlite else line[0]) for line in plan)
            names = {alias: name for name, alias in re.findall(r"\b(\w+) AS (\w+)", statement)}
            for table in re.findall(r"SCAN (\w+)" if is_sqlite else r"Seq Scan on (\w+)", words):
                if names.get(table, table) in large:
                    found.add((endpoint, names.get(table, table)))
    return found


def test_as_many_statements_with_many_rows_as_with_few_and_each_by_an_index(app: Flask, world: World, browse: Any) -> None:
    asking = readers(app, world, browse)
    least = crawl(app, world, asking, NOT_ASKED)
    multiply(db.session, FEW)
    db.session.commit()
    some = crawl(app, world, asking, NOT_ASKED)
    rows = multiply(db.session, MANY)
    db.session.commit()
    assert rows["comments"] >= 10_000
    many = crawl(app, world, asking, NOT_ASKED | WHOLE)
    assert grown(least, some, KINDS) == {}
    assert grown(some, many, 0) == {}
    over: dict[str, int] = {}
    for seen in (*some.values(), *many.values()):
        if len(seen.statements) > BUDGET:
            over[seen.endpoint] = max(over.get(seen.endpoint, 0), len(seen.statements))
    assert over == OVER
    addresses = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert addresses - {seen.endpoint for seen in least.values()} == NOT_READ
    assert scans(many, rows) == SCANNED


def grown(less: dict[tuple[str, str], Seen], more: dict[tuple[str, str], Seen], by: int) -> dict[tuple[str, str], tuple[int, int]]:
    """Pages that ask more often, by more than so many statements."""
    counts = {key: (len(less[key].statements), len(seen.statements)) for key, seen in more.items()}
    return {key: (before, after) for key, (before, after) in counts.items() if after > before + by}


class TestPostgresql:
    @pytest.fixture(scope="class")
    def server(self) -> Iterator[str]:
        with postgresql_server() as url:
            yield url

    @pytest.fixture
    def settings(self, server: str) -> dict[str, Any]:
        return {"DATABASE_URL": server}

    def test_each_statement_has_an_index(self, app: Flask, browse: Any) -> None:
        upgrade()
        world = surrounded(make_world())
        asking = readers(app, world, browse)
        rows = multiply(db.session, 260)
        db.session.commit()
        assert scans(crawl(app, world, asking, NOT_ASKED | WHOLE), rows) == SCANNED
