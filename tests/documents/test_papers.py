"""Lists, minutes and the official record: the numbers of the register, both languages, whatever people are called."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import docx
import pypdf
import pytest
import python_calamine

from consult_app.attendance import actions as attendance
from consult_app.attendance.queries import participation
from consult_app.consultations.models import Attribution
from consult_app.db import clock_at
from consult_app.documents import spelled
from consult_app.events.models import Event, Session
from consult_app.i18n import reading
from consult_app.policy import Role
from consult_app.registrations.models import ParticipantRole, Sex
from tests import factories

HOSTILE = ["<img src=x>", "=1+1", "a\x00\x0bb", "\ufffe\uffff", "محمد الفاتح", "ꦱꦶꦠꦶ", "😀 Maria", "W" * 300, "{ MERGEFIELD x }"]


@pytest.fixture
def event(app: Any) -> Event:
    consultation = factories.make_consultation(attribution=Attribution.BY_NAME)
    day = dt.date(2023, 12, 7)
    event = factories.make_event(consultation, starts_on=day, title={"en": "Final consultation", "id": "Konsultasi akhir"})
    for hour, title in ((9, "Opening"), (10, "Findings")):
        event.sessions.append(
            Session(
                consultation_id=consultation.id,
                title={"en": title},
                day=day,
                starts_at=dt.time(hour),
                ends_at=dt.time(hour + 1),
            )
        )
    return event


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def arrive(event: Event, **details: Any) -> Any:
    person = factories.make_registration(event, **details)
    with clock_at(event.starts):
        attendance.check_in(event, person, by=factories.BY, nonce=person.public_id)
    return person


def words(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text().split()) for page in pypdf.PdfReader(io.BytesIO(data)).pages)


def text_of(data: bytes) -> str:
    paper = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in paper.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(p.text for p in paper.paragraphs), *cells])


def get(client: Any, event: Event, path: str) -> bytes:
    answer = client.get(f"/events/{event.slug}/{path}")
    assert answer.status_code == 200, (path, answer.text[:200])
    return bytes(answer.data)


@pytest.fixture
def crowd(event: Event) -> Event:
    for n in range(4):
        arrive(event, institution=f"Ministry {n % 2}", sex=Sex.FEMALE)
    arrive(event, kind="ngo", institution="Jalan", sex=Sex.MALE, name="Pak Ketua", role=ParticipantRole.MODERATOR)
    arrive(event, kind="ngo", institution="Jalan", sex=Sex.UNDISCLOSED, name="Bu Notulis", role=ParticipantRole.RAPPORTEUR)
    factories.make_registration(event, kind="un", name="Absent One")
    return event


def test_rule_23_the_papers_say_what_the_register_says(crowd: Event, organiser: Any) -> None:
    total = participation(crowd, "arrived").total
    assert (total.total, total.institutions, total.women, total.men, total.other) == (6, 3, 4, 1, 1)
    minutes = text_of(get(organiser, crowd, "documents/minutes.docx?lang=en"))
    assert "6 people from 3 institutions: 4 women, 1 men, 1 other" in minutes
    assert "Registered: 7." in minutes
    assert "those who arrived" in minutes  # rule 9
    assert "Pak Ketua (Jalan)" in minutes
    assert "Bu Notulis (Jalan)" in minutes
    assert "Absent One" not in minutes
    assert "Findings" in minutes
    assert "6 people from 3 institutions" in text_of(get(organiser, crowd, "documents/official-record.docx"))
    table = words(get(organiser, crowd, "participation.pdf"))
    assert "Total 4 1 1 6 67 3 0" in table
    assert "Total 5 1 1 7 71 4 0" in table
    listed = words(get(organiser, crowd, "documents/participants.pdf"))
    assert "Pak Ketua" in listed
    assert "Absent One" not in listed
    registered = words(get(organiser, crowd, "documents/participants.pdf?basis=registered&paper=letter"))
    assert "Absent One" in registered
    assert "whether or not they came" in registered
    assert "7 registered for this day, 6 arrived" in words(get(organiser, crowd, "attendance-sheet.pdf"))


def test_before_anybody_arrived_they_count_who_is_registered(event: Event, organiser: Any) -> None:
    factories.make_registration(event)
    assert "those registered" in text_of(get(organiser, event, "documents/minutes.docx"))
    record = text_of(get(organiser, event, "documents/official-record.docx"))
    assert "1 people from 1 institutions were registered" in record


def test_the_official_record_in_both_languages(crowd: Event, organiser: Any) -> None:
    nama = text_of(get(organiser, crowd, "documents/official-record.docx?lang=id"))
    assert "Kamis, tanggal tujuh Desember dua ribu dua puluh tiga" in nama
    assert "KESATU" in nama
    assert "KEDUA" in nama
    assert "BERITA ACARA" in nama
    assert "Konsultasi akhir" in nama
    name = text_of(get(organiser, crowd, "documents/official-record.docx?lang=en"))
    assert "Thursday, the seventh of December two thousand and twenty-three" in name
    assert "SECOND" in name
    assert "does not mean that a State or an institution endorses every finding" in name


def test_each_institution_of_a_focal_point_has_a_block_to_sign(crowd: Event, organiser: Any) -> None:
    section = crowd.consultation.sections[0]
    for institution in ("Ministry of Foreign Affairs", "Ministry of Manpower"):
        user = factories.make_user(Role.FOCAL_POINT, crowd.consultation)
        factories.name_focal_point(section, user, institution)
    record = text_of(get(organiser, crowd, "documents/official-record.docx"))
    assert record.count("(stamp and signature)") == 3
    assert record.count("Ministry of Manpower") == 2


def test_hostile_text_breaks_no_paper(event: Event, organiser: Any) -> None:
    for n, name in enumerate(HOSTILE):
        factories.make_registration(event, name=name or "x", institution=f"{name}{n}", position=name, title_after=name[:60])
    event.title, event.venue = {"en": "".join(HOSTILE), "id": "=x"}, "<b>&"
    event.sessions[0].speaker = "".join(HOSTILE)
    for code in ("en", "id"):
        for path in ("attendance-sheet.pdf", "participation.pdf", "documents/participants.pdf"):
            assert get(organiser, event, f"{path}?lang={code}").startswith(b"%PDF")
        for path in ("minutes", "official-record"):
            data = get(organiser, event, f"documents/{path}.docx?lang={code}")
            assert text_of(data)
            xml = zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml").decode()
            assert not any(mark in xml for mark in ("instrText", "fldSimple", "<img", 'r:id="rId99'))
    assert "<img src=x>" in text_of(get(organiser, event, "documents/minutes.docx?lang=en"))


@pytest.mark.parametrize("kind", ["pdf", "xlsx"])
def test_the_list_of_participants_respects_attribution(crowd: Event, organiser: Any, kind: str) -> None:
    def listed() -> str:
        data = get(organiser, crowd, f"documents/participants.{kind}?lang=en")
        if kind == "pdf":
            return words(data)
        book = python_calamine.load_workbook(io.BytesIO(data))
        return " ".join(str(cell) for n in (0, 1) for row in book.get_sheet_by_index(n).to_python() for cell in row)

    assert "Pak Ketua" in listed()
    assert "@" not in listed()
    crowd.consultation.attribution = Attribution.BY_INSTITUTION
    assert "Pak Ketua" not in listed()
    assert "Jalan" in listed()
    crowd.consultation.attribution = Attribution.BY_STAKEHOLDER_TYPE
    assert "Jalan" not in listed()
    assert "Government" not in listed()  # four of one type, and of another one and one
    assert "Total 6" in listed()
    assert "rule of attribution" in listed()


def test_the_public_table_hides_small_numbers(crowd: Event, organiser: Any) -> None:
    assert "NGO 0 1 1 2 0 1" in words(get(organiser, crowd, "participation.pdf"))
    public = words(get(organiser, crowd, "participation.pdf?public=1"))
    assert "NGO" not in public
    assert "Total – – – 6" in public


def test_the_page_lists_every_paper(crowd: Event, organiser: Any) -> None:
    page = get(organiser, crowd, "documents").decode()
    for path in ("badges", "tent-cards", "letterhead", "minutes.docx", "official-record.docx", "participants.pdf", "participants.xlsx"):
        assert f"/events/{crowd.slug}/documents/{path}" in page
    assert "attendance-sheet.pdf" in page
    assert "participation.pdf" in page
    assert "1 person, as filtered" in get(organiser, crowd, "documents?type=un").decode()
    assert organiser.get(f"/events/{crowd.slug}/documents/participants.pdf?basis=x").status_code == 404
    assert organiser.get(f"/events/{crowd.slug}/participation.pdf?paper=x").status_code == 404


def test_numbers_in_words(app: Any) -> None:
    indonesian = {
        11: "sebelas",
        17: "tujuh belas",
        20: "dua puluh",
        100: "seratus",
        1000: "seribu",
        1945: "seribu sembilan ratus empat puluh lima",
    }
    english = {
        11: "eleven",
        40: "forty",
        101: "one hundred and one",
        1945: "one thousand nine hundred and forty-five",
        2000: "two thousand",
    }
    with reading("id"):
        assert {n: spelled.number(n) for n in indonesian} == indonesian
        assert [spelled.ordinal(n) for n in (1, 2, 11)] == ["KESATU", "KEDUA", "KESEBELAS"]
    with reading("en"):
        assert {n: spelled.number(n) for n in english} == english
        assert [spelled.ordinal(n) for n in (1, 3, 12, 20, 21, 31)] == [
            "FIRST", "THIRD", "TWELFTH", "TWENTIETH", "TWENTY-FIRST", "THIRTY-FIRST",
        ]  # fmt: skip
