"""One corpus of hostile words through every form that writes, and what was kept through every kind of output."""

from __future__ import annotations

import contextvars
import csv
import email
import email.policy
import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from consult_app import jobs
from consult_app.db import db
from consult_app.forms import clean, one_line
from consult_app.sheets import write_xlsx
from tests.security.declared import ACCOUNT, DECLARED, PUBLIC
from tests.security.hostile import PHONES, STRINGS
from tests.security.test_matrix import NOW, best, calls
from tests.security.world import Filled, Site

pytestmark = pytest.mark.xdist_group("hostile")  # what takes long is made once
FORM = "application/x-www-form-urlencoded"


def post(site: Site, who: str, path: str, fields: list[tuple[str, str]] | dict[str, Any]) -> Any:
    """A form as a browser without manners would send it: lone surrogates too."""
    body = urlencode(fields, doseq=True, errors="surrogatepass")
    return site.ask(who, "POST", path, data=body, content_type=FORM)


# -- pages --


class Page(HTMLParser):
    """What a browser would make of a page: whether anything evil became an element, and the forms."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.evil: list[str] = []
        self.forms: list[tuple[str, list[dict[str, str]]]] = []
        self.select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        leads = {given.get(name, "").strip().lower().partition(":")[0] for name in ("href", "src", "action", "formaction", "data")}
        runs = any(name.startswith("on") for name in given) or (
            tag == "script" and "src" not in given and "json" not in given.get("type", "")
        )
        if "data-evil" in given or runs or leads & {"javascript", "vbscript", "file"} or "evil.example" in given.get("src", ""):
            self.evil.append(str(self.get_starttag_text()))
        if tag == "form" and given.get("method", "").lower() == "post":
            self.forms.append((given.get("action", ""), []))
        elif self.forms and tag in ("input", "textarea", "button") and given.get("name"):
            self.forms[-1][1].append(given | {"tag": tag})
        elif tag == "select":
            self.select = given.get("name", "")
        elif tag == "option" and self.select and self.forms and ("selected" in given or given.get("value")):
            self.forms[-1][1].append({"tag": "option", "name": self.select, "value": given.get("value", "")})


ALL_FREE = {"text", "email", "url", "search", "tel"}
FREE = {"text", "email", "url", "search", "tel", ""}


def filled(fields: list[dict[str, str]], words: Iterator[str]) -> list[tuple[str, str]]:
    """The form with hostile words wherever one can type, and the first choice everywhere else."""
    given: dict[str, str] = {}
    for field in fields:
        name, kind = field["name"], field.get("type", "")
        if field["tag"] == "textarea" or (field["tag"] == "input" and kind in FREE):
            given[name] = next(words)
        elif name not in given:
            given[name] = field.get("value", "") or "y"
    return list(given.items())


@pytest.fixture(scope="module")
def spoiled(site: Site) -> Site:
    """The site after everybody has typed all of it everywhere."""
    keep_all(site)
    words, forms = itertools.cycle(STRINGS), 0
    for call in list(calls(site.app, site.ours)):
        if call.method != "GET" or DECLARED[call.endpoint] == "public":
            continue
        who = best(call.endpoint) or "administrator"
        answer = site.ask(who, "GET", call.path)
        if answer.mimetype != "text/html":
            answer.close()
            continue
        for action, fields in Page(answer.text).forms:
            path = action or call.path
            typed = [f for f in fields if f["tag"] == "textarea" or (f["tag"] == "input" and f.get("type", "") in FREE)]
            if not typed or path.startswith(("/sign-", "/account")):
                continue
            forms += 1
            got = post(site, who, path, filled(fields, words))
            assert got.status_code < 500, (who, path)
            assert got.mimetype != "text/html" or Page(got.text).evil == [], (who, path)
            got.close()
    assert forms > 50
    db.session.commit()
    return site


def chunks(size: int) -> Iterator[list[str]]:
    """All of the words, so many at a time; the last ones with some of the first."""
    for start in range(0, len(STRINGS), size):
        yield (STRINGS + STRINGS)[start : start + size]


def keep_all(site: Site) -> None:
    """Each of the words is kept at least once as a name, a comment, a follow-up, a text of the report, and a message."""
    ours: Filled = site.ours
    home, event, room = "/consultations/ours", f"/events/{ours.event.slug}", f"/rooms/{ours.ids['rooms']}"
    # each of them as a name, an institution or a position; a name of spaces alone is refused
    said = [one_line(words)[:199] or "–" for words in STRINGS]
    rows = [[said[n], said[n - 1], f"p{n}@hostile.example", "government", PHONES[0], said[n - 2]] for n in range(0, len(said), 3)]
    header = ["Name", "Institution", "E-mail", "Type", "Phone", "Position"]
    lists = {"file": (io.BytesIO(write_xlsx({"List": (header, rows)})), "people.xlsx")}
    got = site.ask("organiser", "POST", f"{event}/registrations/import", data=lists)
    assert got.status_code == 303, got.text
    assert Page(site.ask("organiser", "GET", got.location).text).evil == []
    assert post(site, "organiser", got.location, {"send": "1"}).status_code == 303
    kept = 0
    for number, (words, others) in enumerate(chunks(2)):
        said = {"kind": "context", "text": words, "client_key": f"hostile-{number}", "proposed": others, "proposed_language": "en"}
        got = post(site, "participant", f"{room}/comments", {**said, "code": "1.1"})
        assert got.status_code in (200, 422), words
        kept += got.status_code == 200
        got = post(site, "organiser", f"{home}/follow-up/add", {"text-en": words, "text-id": others, "contact": ""})
        assert got.status_code in (303, 422), words
    assert kept > 120
    texts = "\n\n".join(STRINGS)
    page = Page(site.ask("organiser", "GET", f"{home}/sections/1/edit").text)
    (fields,) = (fields for _action, fields in page.forms if any(field["name"] == "narrative-en" for field in fields))
    hidden = {field["name"]: field.get("value", "") for field in fields if field.get("type") == "hidden"}
    assert post(site, "organiser", f"{home}/sections/1/edit", {**hidden, "narrative-en": texts[:19_000]}).status_code in (303, 422)
    for number, words in enumerate(chunks(110)):
        body = {"subject-en": words[0][:150], "subject-id": words[1][:150], "body-en": "\n".join(words), "body-id": "x", "step": "send"}
        got = post(
            site,
            "organiser",
            f"{event}/messages/write",
            {**body, "client_key": f"hostile{number}", "registration": [ours.ids["registrations"]]},
        )
        assert got.status_code < 500


def test_the_corpus_is_large_enough() -> None:
    assert len(set(STRINGS)) >= 200


def test_forms_of_nobody_and_of_ones_own_account_break_by_no_words_either(site: Site) -> None:
    """Those that the fixture above leaves out: signing in and all that is public, the account's own; each gets a tenth of the words."""
    forms: list[tuple[str, str, list[dict[str, str]]]] = []
    for call in calls(site.app, site.ours):
        who = {PUBLIC: "anonymous", ACCOUNT: "administrator"}.get(DECLARED[call.endpoint])
        if who is None or call.method != "GET":
            continue
        answer = site.ask(who, "GET", call.path)
        if answer.mimetype == "text/html":
            forms += [(who, action or call.path, fields) for action, fields in Page(answer.text).forms]
        answer.close()
    free = {path for _who, path, fields in forms for field in fields if field["tag"] == "textarea" or field.get("type", "") in ALL_FREE}
    once = {(who, path): fields for who, path, fields in forms if path in free}
    for number, ((who, path), fields) in enumerate(once.items()):
        for start in range(number % 10, len(STRINGS), 10):
            words = itertools.cycle(STRINGS[start:] + STRINGS)
            # the words of a password are compared, and never shown; hashing each would take minutes
            given = [(name, value) for name, value in filled(fields, words) if not name.startswith("password")]
            got = post(site, who, path, given)
            assert got.status_code < 500, (who, path, given)
            assert got.mimetype != "text/html" or Page(got.text).evil == [], (who, path, given)
            got.close()
            site.put_back()
    assert {"/sign-in", "/password/forgotten", "/open", "/open/again", "/account", "/account/confirm"} <= free


def test_words_that_a_program_sends_break_nothing(site: Site) -> None:
    """JSON brings lone surrogates and control characters as they are."""
    slug = site.ours.event.slug
    for number, words in enumerate(chunks(2)):
        person = {"nonce": f"h{number}", "name": words[0], "institution": words[1], "type": "government", "sex": "female", "email": ""}
        assert site.ask("device", "POST", f"/api/v1/events/{slug}/walk-ins", json=person).status_code < 500, words
        scan = {"nonce": f"s{number}", "code": words[0], "guest": words[1][:40], "list": words[0][:40]}
        assert site.ask("device", "POST", f"/api/v1/events/{slug}/checkins", json=scan).status_code < 500, words
    items = [{"nonce": f"b{number}", "code": words, "guest": words[:40], "list": words[:40]} for number, words in enumerate(STRINGS)]
    batch = {"device_now": NOW, "items": [item for item in items if len(str(item["code"])) < 1000]}
    assert site.ask("device", "POST", f"/api/v1/events/{slug}/checkins/batch", json=batch).status_code < 500
    site.put_back()


# -- outputs --


@dataclass
class Output:
    path: str
    kind: str  # media type
    data: bytes


ALL_KINDS = ["{base}.pdf", "{base}.docx", "{base}.xlsx", "{base}.csv", "{base}.json"]
MORE = {  # the same in other forms
    "reports.draft": ALL_KINDS,
    "desk.matrix": ["{base}.csv", "{base}.xlsx", "{base}.docx"],
    "registrations.export": ["{base}.csv", "{base}.xlsx"],
    "outcomes.export": ["{base}.csv", "{base}.xlsx"],
    "consultations.export_framework": ["{base}.csv", "{base}.xlsx"],
    "documents.participants": ["{base}.pdf", "{base}.xlsx"],
    "reports.difference_paper": ["{base}.pdf", "{base}.docx"],
}
PUT_THERE = ("/papers/", "/reports/", "/evidence/", "/prints/")  # files that are given back as they came
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
PDF = "application/pdf"


@pytest.fixture(scope="module")
def outputs(spoiled: Site) -> list[Output]:
    """Everything that our consultation gives out, in every form."""
    found = []
    for call in calls(spoiled.app, spoiled.ours):
        if call.method != "GET" or call.path.endswith("/stream"):
            continue
        who = best(call.endpoint) or "organiser"
        for pattern in MORE.get(call.endpoint, [call.path]):
            path = pattern.format(base=call.path.rpartition(".")[0])
            answer = spoiled.ask(who, "GET", path)
            assert answer.status_code < 500, (who, path)
            assert "\n" not in answer.headers.get("Content-Disposition", "")
            if answer.status_code == 200:
                found.append(Output(path, answer.mimetype, answer.data))
            answer.close()
    return found


def of(outputs: list[Output], *kinds: str) -> list[Output]:
    return [one for one in outputs if one.kind in kinds and not any(part in one.path for part in PUT_THERE)]


def parts(data: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_no_page_makes_an_element_of_words(outputs: list[Output]) -> None:
    pages = of(outputs, "text/html")
    assert [(one.path, found) for one in pages for found in Page(one.data.decode()).evil] == []
    assert len(pages) > 70


def runs(cell: str) -> bool:
    return cell[:1] in tuple("=+-@\t\r") and not re.fullmatch(r"\+[\d -]+|-", cell)


def test_no_cell_of_a_csv_runs_and_phones_are_as_they_were(outputs: list[Output]) -> None:
    files = {one.path: one.data for one in of(outputs, "text/csv")}
    for one in of(outputs, "application/zip"):
        files |= {f"{one.path}/{name}": data for name, data in parts(one.data).items()}
    cells = [(path, cell) for path, data in files.items() for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) for cell in row]
    assert [(path, cell) for path, cell in cells if runs(cell)] == []
    assert PHONES[0] in {cell for _path, cell in cells}
    assert len(files) > 5


def test_no_cell_of_a_workbook_is_a_formula(outputs: list[Output]) -> None:
    told = set()
    for one in of(outputs, XLSX):
        for name, data in parts(one.data).items():
            assert not re.search(rb"<f[ >/]|<hyperlink|externalLink", data), (one.path, name)
        book = CalamineWorkbook.from_filelike(io.BytesIO(one.data))
        told |= {
            cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row if isinstance(cell, str)
        }
    assert {"=1+1", "@SUM(1+1)", "-1+1", PHONES[0]} <= told  # as they were typed
    assert len(of(outputs, XLSX)) >= 5


def test_a_word_document_opens_and_has_no_field_of_words(outputs: list[Output]) -> None:
    words = ""
    for one in of(outputs, DOCX):
        for name, data in parts(one.data).items():
            if not name.endswith((".xml", ".rels")):
                continue
            elements = list(ElementTree.fromstring(data).iter())
            fields = "".join(e.text or "" for e in elements if e.tag.endswith("}instrText"))
            assert "evil" not in fields, (one.path, fields)
            assert "INCLUDE" not in fields
            assert not any(e.get("TargetMode") == "External" and "evil" in str(e.get("Target")) for e in elements), one.path
            words += " ".join(e.text or "" for e in elements if e.tag.endswith("}t"))
    assert "<img src=file:///etc/passwd>" in words
    assert len(of(outputs, DOCX)) >= 3


def test_a_pdf_opens_and_embeds_no_file_of_the_server(outputs: list[Output]) -> None:
    words = ""
    for one in of(outputs, PDF):
        assert not re.search(rb"/Launch|/JavaScript|/EmbeddedFile|file:///", one.data), one.path
        reader = PdfReader(io.BytesIO(one.data))
        assert [image.name for page in reader.pages for image in page.images] == [], one.path
        words += " ".join(page.extract_text() for page in reader.pages)
    assert "root:x:0" not in words
    assert "<img" in words  # told as it was typed
    assert len(of(outputs, PDF)) >= 6


def test_json_can_be_read(outputs: list[Output], spoiled: Site) -> None:
    for one in of(outputs, "application/json"):
        json.loads(one.data)
    guests = spoiled.ask("device", "GET", f"/api/v1/events/{spoiled.ours.event.slug}/guests").json["guests"]
    assert len([guest for guest in guests if "evil" in guest["name"]]) > 30
    assert len(of(outputs, "application/json")) >= 5


@pytest.mark.parametrize("view", ["phone", "hall", "console"])
def test_words_end_no_event_of_a_stream(spoiled: Site, view: str) -> None:
    answer = spoiled.ask("organiser", "GET", f"/rooms/{spoiled.ours.ids['rooms']}/stream?view={view}&seen=0")
    events = [part.decode() if isinstance(part, bytes) else part for part in itertools.islice(answer.response, 2)]
    answer.close()
    lines = [line for event in events for line in re.split(r"\r\n|\r|\n", event)]  # as a browser splits them
    assert [line for line in lines if not re.fullmatch(r"data: .*|id: \d+|retry: 2000|", line, re.S)] == []
    assert len([line for line in lines if line.startswith("id: ")]) == 1
    html = "\n".join(line[6:] for line in lines if line.startswith("data: "))
    assert html
    assert Page(html).evil == []


def test_each_word_in_a_calendar_is_a_word(spoiled: Site) -> None:
    event = spoiled.ours.event
    for words in chunks(3):
        title, venue, description = map(clean, words)  # as forms keep them
        event.title, event.venue, event.description = {"en": title[:199]}, venue[:199], {"en": description}
        answer = spoiled.ask("anonymous", "GET", f"/events/{event.slug}/event.ics")
        assert answer.status_code == 200
        (entry,) = (part for part in Calendar.from_ical(answer.data).walk() if part.name == "VEVENT")
        assert not {"ATTENDEE", "ORGANIZER", "ATTACH"} & set(entry)
        assert all(len(line) <= 75 for line in answer.data.split(b"\r\n"))


MAIL_HEADERS = {
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "auto-submitted", "reply-to",
    "content-transfer-encoding",
}  # fmt: skip


def test_a_mail_has_the_headers_that_we_gave_it(spoiled: Site) -> None:
    event = spoiled.ours.event
    event.title = {"en": clean("evil\r\nBcc: evil@evil.example"), "id": "evil"}
    db.session.commit()
    contextvars.Context().run(jobs.drain, spoiled.app)
    files = sorted((spoiled.app.config["VAR"] / "mail").glob("*.eml"))
    assert len(files) > 50
    for file in files:
        head = file.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode()
        names = {line.split(":")[0].lower() for line in head.split("\n") if not line[:1].isspace()}
        assert names <= MAIL_HEADERS, (file.name, names)
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert "\n" not in mail["Subject"] + mail["To"] + mail["From"]
        assert len(mail["To"].addresses) == 1
        page = mail.get_body(("html",))
        assert page is None or Page(page.get_content()).evil == []
