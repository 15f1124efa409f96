"""Somebody who did everything there is to do is erased: nothing of them is left in any file, page or export; the figures stand."""

from __future__ import annotations

import contextvars
import datetime as dt
import io
import json
import logging
import sqlite3
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import structlog
from flask import Flask
from pypdf import PdfReader
from sqlalchemy.exc import IntegrityError

from consult_app import audit, jobs
from consult_app.attendance.models import CheckIn
from consult_app.cli import cli
from consult_app.comments import drafts
from consult_app.comments.models import Comment
from consult_app.consultations.models import ImportDraft
from consult_app.db import Base, db, now
from consult_app.documents.models import Printout
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.privacy import retention
from consult_app.privacy.models import DataRequest, RequestKind
from consult_app.registrations.actions import change, send_again
from consult_app.registrations.models import Person, Registration
from consult_app.registrations.people import details_of
from tests import factories
from tests.comments.files import PDF
from tests.security.test_matrix import best, calls
from tests.security.world import Filled, Site, fill

NAME, MAIL, PHONE = "Zulkifli Uniknama", "p@ours.example", "+62 812-7777-0001"
WORDS = ("uniknama", "zulkifli", MAIL, "7777-0001", "zulkifli-cv.pdf", "uniknama-in-the-file")
FILE = PDF.replace(b"\n", b"\n%uniknama-in-the-file\n", 1)  # a remark of the file's first lines


@pytest.fixture
def site(app: Flask) -> Site:
    return fill(app)


@pytest.fixture
def person(site: Site) -> Registration:
    """Our participant under a name that stands nowhere else, who also drew, drafted, sent a file and stands in an uploaded list."""
    ours: Filled = site.ours
    registration: Registration = ours.people["participant"]
    details = details_of(registration)
    details.name, details.phone = NAME, PHONE
    details.diet, details.accommodations, details.position = "uniknama diet", "ramp for Zulkifli", "Head of Uniknama"
    change(registration, details, by=registration)
    drawn = {"nonce": ours.ids["checkins"], "guest": ours.ids["guests"], "strokes": [[1, 2, 300, 400, 5, 6]]}
    assert site.ask("device", "POST", f"/api/v1/events/{ours.event.slug}/signatures", json=drawn).status_code == 200
    drafts.keep(ours.consultation.dimensions[0].indicators[1], registration, {"text": "I, Zulkifli Uniknama, think"}, "draft-2")
    send_again(registration)
    db.session.commit()
    site.cookies["participant"] = _session(site, registration)
    comment = ours.ids["open comment"]
    sent = {"files": (io.BytesIO(FILE), "Zulkifli-CV.pdf"), "client_key": "file"}
    answer = site.ask("participant", "POST", f"/consultations/ours/comments/{comment}/evidence", data=sent)
    assert answer.status_code == 303, answer.text
    rows = f"Name;Institution;E-mail;Type;Sex;Phone\n{NAME};Kantor;{MAIL};government;M;{PHONE}\n".encode()
    answer = site.ask(
        "organiser", "POST", f"/events/{ours.event.slug}/registrations/import", data={"file": (io.BytesIO(rows), "people.csv")}
    )
    assert answer.status_code == 303
    site.ask("participant", "POST", "/my/data", data={"kind": "correct", "words": "I am Zulkifli Uniknama, please"})
    return registration


def _session(site: Site, registration: Registration) -> str:
    client: Any = site.app.test_client()
    return str(client.open_link(registration).get_cookie("consult").value)


def drain(app: Flask) -> None:
    db.session.commit()
    contextvars.Context().run(jobs.drain, app)
    db.session.expire_all()


def told(data: bytes, kind: str) -> str:
    """What a file says, whatever its form."""
    if kind == "application/pdf":
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return " ".join(archive.read(part).decode("utf-8", "replace") for part in archive.namelist())
    return data.decode("utf-8", "replace")


CONTROL = {"registrations.list_registrations", "registrations.export", "desk.matrix", "api.list_guests", "room.now", "privacy.own"}


def outputs(site: Site, only: set[str] | None = None) -> dict[str, list[str]]:
    """Where our consultation still tells one of the words: every page, fragment, export and the API, as whoever may see most."""
    found = {}
    for call in calls(site.app, site.ours):
        if call.method != "GET" or call.path.endswith("/stream") or (only and call.endpoint not in only):
            continue
        answer = site.ask(best(call.endpoint) or "organiser", "GET", call.path)
        text = told(answer.data, answer.mimetype).lower()
        if hits := [word for word in WORDS if word in text]:
            found[call.path] = hits
        answer.close()
    return found


def files(app: Flask) -> list[str]:
    """Every file of the site, as it lies on the disk: database, its journal, queue, uploads, mails, keys."""
    return [
        f"{file.name}: {word}"
        for file in Path(app.config["VAR"]).rglob("*")
        if file.is_file()
        for word in WORDS
        if word.encode() in file.read_bytes().lower()
    ]


def erase(site: Site) -> None:
    assert site.ask("participant", "POST", "/my/data", data={"kind": "erase", "words": ""}).status_code == 303
    asked = db.session.scalars(db.select(DataRequest).where(DataRequest.kind == RequestKind.ERASE)).one()
    answer = site.ask("organiser", "POST", f"/consultations/ours/data-requests/{asked.public_id}", data={"state": "done", "reply": ""})
    assert answer.status_code == 303
    drain(site.app)
    for file in (site.app.config["VAR"] / "mail").glob("*.eml"):
        if MAIL.encode() in file.read_bytes():
            file.unlink()  # the one mail that tells them: with a mail server it has left, and this address with it


def totals(site: Site) -> dict[str, Any]:
    def count(model: Any) -> int:
        return int(db.session.scalar(db.select(db.func.count()).select_from(model)) or 0)

    table = site.ask("organiser", "GET", f"/events/{site.ours.event.slug}/attendance").text
    states = Counter(db.session.scalars(db.select(Registration.state)))
    return {"rows": [count(m) for m in (Registration, Person, CheckIn, Comment)], "states": states, "table": table.count("<td")}


def test_an_erased_person_is_nowhere_and_the_figures_stand(
    site: Site, person: Registration, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "level", logging.DEBUG)
    drain(site.app)
    assert len(outputs(site, CONTROL)) >= 4  # the control: before, pages and exports tell
    assert len({line.split(":")[0] for line in files(site.app)}) >= 3
    before = totals(site)
    erase(site)
    assert files(site.app) == []
    assert outputs(site) == {}
    assert totals(site) == before
    _count, faults = audit.verify()
    assert faults == []
    assert db.session.scalars(db.select(ImportDraft).where(ImportDraft.consultation_id == person.consultation_id)).all() != []
    assert db.session.scalars(db.select(Printout).where(Printout.event_id == person.event_id)).all() == []
    printed = capfd.readouterr()
    assert not [word for word in WORDS if word in (printed.out + printed.err).lower()]
    assert site.app.test_cli_runner().invoke(cli, ["audit", "verify"]).exit_code == 0


def test_an_error_in_the_log_tells_nothing_of_a_person(app: Flask, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither by the variables of its traceback nor by what a statement was given."""
    first = factories.make_registration(name=NAME, email=MAIL)
    db.session.commit()
    try:
        secret = {"name": NAME, "email": MAIL}
        db.session.execute(db.insert(Person).values(consultation_id=first.consultation_id, email=MAIL, public_id="x", created_at=now()))
        raise AssertionError(secret)
    except IntegrityError:
        structlog.get_logger().error("job.failed", job="x", exc_info=True)
        logging.getLogger("consult").exception("job.failed")
    db.session.rollback()
    printed = capfd.readouterr()
    text = printed.out + printed.err
    assert "job.failed" in text
    assert "IntegrityError" in text
    assert not [word for word in WORDS if word in text.lower()]


# -- seeing what is held --

# what a row holds for its own sake: keys, hashes of secrets, searches made of what is told anyway
INNER = {
    "id",
    "public_id",
    "seed",
    "ticket_hash",
    "link_hash",
    "client_key",
    "search",
    "key",
    "phone_hash",
    "sid_hash",
    "ids",
    "secret_hash",
    "hash",
}
OTHERS = {
    "audit_entries": "the log's own states, of the rows that are told",
    "import_drafts": "a list that an organiser looks at, for seven days",
    "printouts": "a print, for a day",
    "messages": "one text for many; the copy to this person is told with the mails",
    "users": "staff",
}


def test_export_gives_all_that_is_held_on_a_person(site: Site, person: Registration) -> None:
    """Every column of every table is walked for what is theirs alone; what is found has to stand in their file."""
    drain(site.app)
    given = json.dumps(site.ask("participant", "GET", "/my/data.json").json, ensure_ascii=False).lower()
    missing, seen = [], set()
    with sqlite3.connect(site.database) as raw:
        raw.row_factory = sqlite3.Row
        for table in Base.metadata.sorted_tables:
            for row in raw.execute(f'SELECT * FROM "{table.name}"'):
                about = [row[c.name] for c in table.columns if c.name in ("registration_id", "person_id")]
                is_theirs = person.id in about and "registration_id" in table.columns
                for column in table.columns:
                    value = str(row[column.name] or "")
                    tells = any(word in value.lower() for word in WORDS)
                    if column.name in INNER or column.name.endswith("_id") or not (tells or (is_theirs and len(value) > 3)):
                        continue
                    seen.add(table.name)
                    plain = json.dumps(value, ensure_ascii=False)[1:-1].lower()
                    if (
                        table.name not in OTHERS
                        and plain not in given
                        and value[:16].lower() not in given
                        and not value.startswith(("{", "["))
                    ):
                        missing.append(f"{table.name}.{column.name}: {value[:60]}")
    assert missing == []
    assert {"registrations", "people", "comments", "mails", "data_requests", "comment_drafts", "drawn_signatures"} <= seen


# -- retention --


def test_a_year_of_retention(app: Flask, sent: Any) -> None:
    """Twelve events, one a month, each with ten people: what is left of them as the year passes."""
    consultation = factories.make_consultation()
    factories.make_user(Role.ORGANISER, consultation)
    today = now().date()
    for month in range(12):
        day = today - dt.timedelta(days=395 - 30 * month)
        event = factories.make_event(consultation, starts_on=day, ends_on=day)
        for _n in range(10):
            registration = factories.make_registration(event, phone="+62 811-0000-0000")
            registration.diet = "no pork"
            audit.record(factories.BY, "registration.change", registration)
    db.session.commit()
    retention.run()
    left: dict[str, list[int]] = {"diet": [], "email": [], "name": []}
    for event in db.session.scalars(db.select(Event).order_by(Event.starts_on)):
        people = db.session.scalars(db.select(Registration).where(Registration.event_id == event.id)).all()
        for column, counts in left.items():
            counts.append(sum(bool(getattr(one, column)) for one in people))
    assert left["diet"] == [0] * 12  # all are more than 14 days ago
    assert left["email"] == [0, *[10] * 11]  # 365 days
    assert left["name"] == [10] * 12  # the record of who came
    _count, faults = audit.verify()
    assert faults == []
