"""Badges: every code belongs to its person, nothing spills, long prints are made by the worker."""

from __future__ import annotations

import datetime as dt
import io
import random
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest
import time_machine
import zxingcpp
from PIL import Image
from sqlalchemy import select

from consult_app import jobs, pdf
from consult_app.db import db
from consult_app.documents import badges as drawing
from consult_app.documents import make
from consult_app.documents.fitting import fit
from consult_app.documents.jobs import tidy_prints
from consult_app.documents.models import Printout, PrintState
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories

ARABIC, JAVANESE = "محمد الفاتح", "ꦱꦶꦠꦶ ꦤꦸꦂꦗꦤ꧀ꦤꦃ"
HOSTILE = [
    "<img src=x>",
    "=1+1",
    "a\x00b\x07c",
    "W" * 300,
    "Raden Mas Panjang " * 17,
    ARABIC,
    JAVANESE,
    f"{ARABIC} Siti {JAVANESE}",
    "😀😀 Maria",
    "中文名字",
    "Budi",
    "",
    "\ufdfa" * 20,
    "\u202egnirts",
]


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def pages(data: bytes, folder: Path, resolution: int = 150) -> list[Image.Image]:
    (folder / "x.pdf").write_bytes(data)
    subprocess.run(["pdftoppm", "-r", str(resolution), "-gray", "-png", folder / "x.pdf", folder / "x"], check=True)
    return [Image.open(path) for path in sorted(folder.glob("x-*.png"))]


def words(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def url(event: Event, kind: str = "badges") -> str:
    return f"/events/{event.slug}/documents/{kind}"


@pytest.mark.parametrize("per_sheet", [4, 10])
def test_every_code_belongs_to_the_person_on_the_badge(event: Event, organiser: Any, tmp_path: Path, per_sheet: int) -> None:
    people = [factories.make_registration(event, name=name or "Ni", phone="+6281234567890") for name in HOSTILE[:11]]
    data = organiser.post(url(event), data={"paper": "letter", "per_sheet": per_sheet, "language": "id"}).data
    found = [code.text for page in pages(data, tmp_path) for code in zxingcpp.read_barcodes(page)]
    assert sorted(found) == sorted(ticket_code(person.seed) for person in people)
    assert "Budi" in words(data)
    assert "<img src=x>" in words(data)
    assert "81234567890" not in words(data).replace(" ", "")


@pytest.mark.parametrize("paper", list(drawing.PAPERS))
@pytest.mark.parametrize("per_sheet", list(drawing.SHEETS))
def test_the_code_is_25_mm_with_its_white_and_the_badges_lie_on_the_page(paper: str, per_sheet: int) -> None:
    sheet, page = drawing.SHEETS[per_sheet], drawing.PAPERS[paper]
    assert sheet.code >= 25
    boxes = drawing._boxes(sheet, paper, page)
    assert len(boxes) == per_sheet
    for box in boxes:
        assert min(box.x, box.y, page[0] - box.x - box.width, page[1] - box.y - box.height) > 5 * pdf.mm


def test_no_string_is_wider_or_higher_than_its_box(app: Any) -> None:
    chance = random.Random(20231219)
    letters = "abcdefghijklmnopqrstuvwxyz      WWMM.,'-éüا ب م ꦏ ꦺ ꦴ中😀\x00<>&"
    names = HOSTILE + ["".join(chance.choice(letters) for _n in range(chance.randint(1, 330))) for _m in range(80)]
    for name in names:
        for width, height, least in ((240.0, 60.0, 6.5), (140.0, 54.0, 5.5), (60.0, 12.0, 5.5)):
            fitted = fit(name, pdf.SERIF_BOLD, width, height, 28, least)
            assert fitted.width <= width + 0.01, name
            assert fitted.height <= height + 0.01, name
            if name.strip("\x00 \u202e"):
                assert fitted.lines, name


def test_all_words_are_drawn_where_there_is_room(app: Any) -> None:
    name = "Prof. Dr. Ir. Siti Nurhaliza Widyastuti Kusumaningrum, S.H., M.H., Ph.D."
    fitted = fit(name, pdf.SERIF_BOLD, 150, 54, 19, 5.5)
    assert " ".join("".join(part for _f, part, _w in line.parts) for line in fitted.lines) == name
    assert fit("Budi", pdf.SERIF_BOLD, 150, 54, 19, 5.5).size == 19
    cut = fit("kata " * 400, pdf.SERIF_BOLD, 60, 12, 19, 5.5)
    assert cut.lines[-1].parts[-1][1].endswith("…")


@pytest.mark.parametrize("per_sheet", list(drawing.SHEETS))
@pytest.mark.parametrize("paper", list(drawing.PAPERS))
def test_nothing_is_drawn_outside_a_badge(app: Any, monkeypatch: pytest.MonkeyPatch, paper: str, per_sheet: int) -> None:
    """Every string that the canvas gets begins and ends within the badge."""
    drawn: list[tuple[float, float, float]] = []

    def note(canvas: Any, x: float, y: float, part: str) -> None:
        drawn.append((x, y, x + pdf.pdfmetrics.stringWidth(part, canvas._fontname, canvas._fontsize)))

    monkeypatch.setattr(drawing.Canvas, "drawString", note)
    box = drawing._boxes(drawing.SHEETS[per_sheet], paper, drawing.PAPERS[paper])[0]
    for name in HOSTILE:
        person = drawing.Badge(name, name, name, name, name, 1, "C1" + "A" * 26)
        drawing.badges([person], paper, per_sheet, "x", "en")
    assert drawn
    for left, y, right in drawn:
        assert box.x <= left <= right <= box.x + box.width
        assert box.y <= y <= box.y + box.height


def test_a_filtered_set_a_list_of_people_and_one_person(event: Event, organiser: Any, browse: Any) -> None:
    budi, wati, _agus = (
        factories.make_registration(event, name=name, kind=kind) for name, kind in (("Budi", "ngo"), ("Wati", "un"), ("Agus", "un"))
    )
    waiting = factories.make_registration(event, name="Gone")
    registrations.cancel(waiting, by=factories.BY, reason="test")
    everybody = words(organiser.post(url(event)).data)
    assert [name in everybody for name in ("Budi", "Wati", "Agus", "Gone")] == [True, True, True, False]
    filtered = words(organiser.post(f"{url(event)}?type=un").data)
    assert ("Budi" in filtered, "Wati" in filtered, "Agus" in filtered) == (False, True, True)
    some = words(organiser.post(url(event), data={"registration": [budi.public_id, wati.public_id]}).data)
    assert ("Budi" in some, "Wati" in some, "Agus" in some) == (True, True, False)
    one = f"/events/{event.slug}/registrations/{budi.public_id}/badge.pdf"
    desk = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    assert "Budi" in words(desk.get(f"{one}?start=3&per_sheet=10&paper=letter").data)
    assert desk.get(f"{one}?per_sheet=7").status_code == 404
    assert organiser.post(url(event), data={"registration": [waiting.public_id]}).status_code == 409
    assert organiser.post(url(event), data={"registration": ["nobody"]}).status_code == 404
    assert organiser.post(f"{url(event)}?q=zzz").status_code == 409
    assert organiser.post(url(event), data={"per_sheet": "7"}).status_code == 422


def test_who_may_print(event: Event, browse: Any) -> None:
    person = factories.make_registration(event)
    one = f"/events/{event.slug}/registrations/{person.public_id}/badge.pdf"
    desk = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    assert [desk.post(url(event, kind)).status_code for kind in ("badges", "tent-cards", "certificates")] == [200, 403, 403]
    assert [observer.post(url(event)).status_code, observer.get(one).status_code, observer.get(url(event)[:-7]).status_code] == [
        403,
        403,
        403,
    ]
    event.state = "draft"
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    paths = ["", "/letterhead", "/certificates", "/minutes.docx", "/official-record.docx", "/participants.pdf", "/number"]
    assert {stranger.get(f"/events/{event.slug}/documents{path}").status_code for path in paths} == {404}
    assert {stranger.post(url(event, kind)).status_code for kind in ("badges", "tent-cards", "certificates")} == {404}
    assert stranger.get(one).status_code == 404


def test_tent_cards_have_the_name_twice(event: Event, organiser: Any) -> None:
    for name in ("Sukarno", "<b>", ARABIC, JAVANESE, "x" * 190):
        factories.make_registration(event, name=name)
    data = organiser.post(url(event, "tent-cards"), data={"paper": "letter"}).data
    reader = pypdf.PdfReader(io.BytesIO(data))
    assert len(reader.pages) == 5
    assert words(data).count("Sukarno") == 2


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "SHORT", 1)


def test_a_long_print_is_made_by_the_worker_and_kept_for_a_day(
    app: Any, event: Event, organiser: Any, browse: Any, sent: Any, short: None
) -> None:
    people: list[Registration] = [factories.make_registration(event, name=name) for name in ("Budi", "Wati")]
    answer = organiser.post(url(event))
    assert answer.status_code == 303
    page, file = answer.location, f"{answer.location}/print.pdf"
    assert "every 2s" in organiser.get(page).text
    assert organiser.get(file).status_code == 404
    sent()
    done = organiser.get(page, headers={"HX-Request": "true"}).text
    assert "every 2s" not in done
    assert file in done
    assert all(person.name in words(organiser.get(file).data) for person in people)
    desk = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    assert desk.get(file).status_code == 200
    assert browse(factories.make_user(Role.OBSERVER, event.consultation)).get(file).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(file).status_code in (403, 404)
    tidy_prints()
    assert db.session.scalar(select(Printout.id)) is not None
    with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(days=1, minutes=1), tick=False):
        tidy_prints()
    assert db.session.scalar(select(Printout.id)) is None


def test_the_desk_does_not_get_other_prints(event: Event, organiser: Any, browse: Any, sent: Any, short: None) -> None:
    for _n in range(2):
        factories.make_registration(event)
    page = organiser.post(url(event, "tent-cards")).location
    sent()
    assert organiser.get(f"{page}/print.pdf").data.startswith(b"%PDF")
    assert browse(factories.make_user(Role.CHECK_IN, event.consultation)).get(f"{page}/print.pdf").status_code == 403


def test_a_print_that_fails_says_so_and_one_left_behind_is_made_again(
    app: Any, event: Event, organiser: Any, sent: Any, short: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _n in range(2):
        factories.make_registration(event)
    page = organiser.post(url(event)).location
    with monkeypatch.context() as broken:
        broken.setattr("consult_app.documents.jobs.make", lambda *_a: 1 / 0)
        sent()
    assert "could not be made" in organiser.get(page).text
    printout = db.session.scalars(select(Printout)).one()
    printout.state, printout.created_at = PrintState.QUEUED, printout.created_at - dt.timedelta(minutes=11)
    db.session.commit()
    tidy_prints()
    assert jobs.huey_of(app).pending_count() == 1
    sent()
    assert db.session.scalars(select(Printout.state)).one() is PrintState.DONE
