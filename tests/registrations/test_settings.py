"""The organiser's side of registration: seats and window, approval, questions, types, many at once, the columns of a file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import secrets
from typing import Any

import pytest
from flask import Flask

from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Question, QuestionAnswer, Quota, Registration, RegistrationState, StakeholderType
from tests import factories
from tests.conftest import run_jobs
from tests.registrations.test_register import FORM

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def event(app: Flask) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def register(browse: Any, event: Event, **more: Any) -> Any:
    answer = browse().post(f"/events/{event.slug}/register", data={**FORM, "language": "en", "client_key": secrets.token_hex(8), **more})
    run_jobs()
    return answer


def only() -> Registration:
    return db.session.scalars(db.select(Registration)).one()


def add_question(organiser: Any, event: Event, **more: str) -> Question:
    data = {"kind": "choice", "label-en": "Lunch <b>", "label-id": "Makan siang", "options": "Fish | Ikan | 1\nRice | Nasi", **more}
    answer = organiser.post(f"/events/{event.slug}/questions/add", data=data)
    assert answer.status_code == 303, answer.text
    return db.session.scalars(db.select(Question).order_by(Question.id.desc())).first()  # type: ignore[return-value]


class TestSettings:
    def test_one_save_for_all_of_them(self, event: Event, organiser: Any, last_entry: Any) -> None:
        kind = factories.stakeholder_type(event.consultation_id, "ngo")
        group = event.consultation.dimensions[0]
        url = f"/events/{event.slug}/registrations/settings"
        data = {
            "capacity": "40", "registration_opens_at": "2020-01-01T08:00", "needs_approval": "y", "women_target": "50",
            f"seats_{kind.id}": "10", f"target_{kind.id}": "12", f"group_{group.id}": "6",
        }  # fmt: skip
        assert organiser.post(url, data=data).status_code == 303
        assert (event.capacity, event.needs_approval, event.women_target) == (40, True, 50)
        assert event.registration_opens_at == dt.datetime(2020, 1, 1, 1, 0, tzinfo=dt.UTC)  # 08:00 in Jakarta
        quotas = db.session.scalars(db.select(Quota).order_by(Quota.id)).all()
        assert [(q.seats, q.target) for q in quotas] == [(10, 12), (6, None)]
        assert last_entry("quota.set") is not None
        page = organiser.get(url).text
        assert re.search(r'value="2020-01-01[T ]08:00', page)
        assert organiser.post(url, data=data).status_code == 303  # the same again changes nothing
        assert len(db.session.scalars(db.select(Quota)).all()) == 2

    @pytest.mark.parametrize(
        "wrong", [{"capacity": "-1"}, {"capacity": "many"}, {"women_target": "101"}, {"registration_opens_at": "2100-01-01T08:00"}]
    )
    def test_what_cannot_be_is_said_and_kept(self, wrong: dict[str, str], event: Event, organiser: Any) -> None:
        answer = organiser.post(f"/events/{event.slug}/registrations/settings", data={"capacity": "40", **wrong})
        assert answer.status_code == 422
        assert event.capacity is None

    def test_before_it_opens_nobody_registers(self, event: Event, browse: Any) -> None:
        event.registration_opens_at = now() + dt.timedelta(hours=1)
        factories.audit.record(factories.BY, "event.change", event)
        db.session.commit()
        page = browse().get(f"/events/{event.slug}/register")
        assert "not open yet" in page.text
        assert register(browse, event).status_code == 409

    @pytest.mark.parametrize("path", ["registrations/settings", "questions", "questions/add", "questions/preview"])
    def test_only_organisers(self, path: str, event: Event, browse: Any) -> None:
        for role in (Role.CHECK_IN, Role.OBSERVER, Role.FOCAL_POINT):
            assert browse(factories.make_user(role, event.consultation)).get(f"/events/{event.slug}/{path}").status_code == 403
        assert browse().get(f"/events/{event.slug}/{path}").status_code in (303, 403)


class TestApproval:
    @pytest.fixture
    def pending(self, event: Event, browse: Any) -> Registration:
        event.needs_approval, event.capacity = True, 1
        factories.audit.record(factories.BY, "event.change", event)
        assert register(browse, event).status_code == 303
        assert only().state is RegistrationState.PENDING
        return only()

    def url(self, registration: Registration, verb: str) -> str:
        return f"/events/{registration.event.slug}/registrations/{registration.public_id}/{verb}"

    def test_yes_gives_a_seat_and_is_told(self, pending: Registration, organiser: Any, sent: Any, last_entry: Any) -> None:
        assert organiser.post(self.url(pending, "approve")).status_code == 303
        assert pending.is_confirmed
        assert last_entry("registration.approve").object_id == pending.public_id
        subjects = [mail["Subject"].split(":")[0] for mail in sent()]
        assert subjects == ["Your registration waits for approval", "Your registration is approved"]
        assert organiser.post(self.url(pending, "approve")).status_code == 409

    def test_no_needs_a_reason_and_is_told(self, pending: Registration, organiser: Any, sent: Any) -> None:
        assert organiser.post(self.url(pending, "refuse"), data={"reason": " "}).status_code == 422
        assert organiser.post(self.url(pending, "refuse"), data={"reason": "Only <i>ministries</i>"}).status_code == 303
        assert pending.state is RegistrationState.REFUSED
        assert "Only <i>ministries</i>" in sent()[-1].get_body(("plain",)).get_content()
        assert organiser.post(self.url(pending, "approve")).status_code == 303  # one may think again
        assert pending.is_confirmed

    def test_it_holds_no_seat_and_checks_nobody_in(self, pending: Registration, event: Event, organiser: Any, browse: Any) -> None:
        factories.make_registration(event, name="Somebody")
        assert organiser.post(self.url(pending, "approve")).status_code == 303
        assert pending.is_waiting  # the only seat was given meanwhile
        assert "waits" in browse(pending).get("/my/registration/ticket.pdf").text

    def test_only_organisers_decide(self, pending: Registration, browse: Any) -> None:
        assert browse(factories.make_user(Role.CHECK_IN, pending.event.consultation)).post(self.url(pending, "approve")).status_code == 403
        other = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
        assert other.post(self.url(pending, "approve")).status_code in (403, 404)
        assert pending.is_pending


class TestQuestions:
    def test_asked_answered_counted_and_exported(self, event: Event, organiser: Any, browse: Any) -> None:
        question = add_question(organiser, event, is_required="y")
        field = f"q_{question.public_id}"
        page = browse().get(f"/events/{event.slug}/register").text
        assert "Lunch &lt;b&gt;" in page
        assert register(browse, event).status_code == 422  # it has to be answered
        fish, rice = (option["key"] for option in question.options)
        assert register(browse, event, **{field: fish}).status_code == 303
        assert db.session.scalars(db.select(QuestionAnswer.value)).all() == [fish]
        full = register(browse, event, **{field: fish, "email": "second@example.org"})
        assert full.status_code == 422  # one seat, and it is taken
        assert "full by now" in full.text
        assert register(browse, event, **{field: rice, "email": "second@example.org"}).status_code == 303
        assert register(browse, event, **{field: "made-up", "email": "third@example.org"}).status_code == 422
        found = organiser.get(f"/events/{event.slug}/registrations?answer={question.public_id}:{rice}").text
        assert "second@example.org" not in found  # a list shows names
        assert "All 1 found" in found
        file = organiser.get(f"/events/{event.slug}/registrations.csv?columns=email&columns={question.public_id}")
        rows = list(csv.reader(io.StringIO(file.data.decode("utf-8-sig"))))
        assert rows[0] == ["E-mail address", "Lunch <b>"]
        assert sorted(row[1] for row in rows[1:]) == ["Fish", "Rice"]

    def test_of_one_type_only(self, event: Event, organiser: Any, browse: Any) -> None:
        question = add_question(organiser, event, kind="text", is_required="y", stakeholder_type_codes="ngo")
        assert register(browse, event, stakeholder_type="government").status_code == 303
        assert register(browse, event, stakeholder_type="ngo", email="b@example.org").status_code == 422
        given = {f"q_{question.public_id}": "=1+1", "stakeholder_type": "ngo", "email": "b@example.org"}
        assert register(browse, event, **given).status_code == 303
        file = organiser.get(f"/events/{event.slug}/registrations.csv?columns={question.public_id}")
        assert "'=1+1" in file.data.decode()

    @pytest.mark.parametrize(
        ("kind", "good", "bad"),
        [("number", "12", "twelve"), ("date", "2026-12-01", "soon"), ("yes_no", "yes", "maybe"), ("text", "words", "x" * 1001)],
    )
    def test_each_kind_takes_its_own(self, kind: str, good: str, bad: str, event: Event, organiser: Any, browse: Any) -> None:
        question = add_question(organiser, event, kind=kind, options="")
        assert register(browse, event, **{f"q_{question.public_id}": bad}).status_code == 422
        assert register(browse, event, **{f"q_{question.public_id}": good}).status_code == 303
        assert db.session.scalars(db.select(QuestionAnswer.value)).all() == [good]
        page = browse(only()).get("/my/registration/change").text
        assert good in page

    def test_a_choice_that_was_made_stays_and_a_retired_question_keeps_its_answers(self, event: Event, organiser: Any, browse: Any) -> None:
        question = add_question(organiser, event)
        register(browse, event, **{f"q_{question.public_id}": question.options[0]["key"]})
        url = f"/events/{event.slug}/questions/{question.public_id}"
        data = {"kind": "choice", "label-en": "Lunch", "label-id": "", "options": "Rice | Nasi\nSoup"}
        assert organiser.post(url, data=data).status_code == 422
        assert organiser.post(url, data={**data, "options": "Fish | Ikan | 0\nRice | Nasi"}).status_code == 303
        assert organiser.post(f"{url}/retire").status_code == 303
        assert question.is_retired
        assert "Lunch" not in browse().get(f"/events/{event.slug}/register").text
        assert "Fish" in organiser.get(f"/events/{event.slug}/registrations/{only().public_id}").text

    @pytest.mark.parametrize("options", ["", "Only one", "Fish\nfish", "Fish | Ikan | many\nRice"])
    def test_choices_that_cannot_be(self, options: str, event: Event, organiser: Any) -> None:
        data = {"kind": "choice", "label-en": "Lunch", "label-id": "", "options": options}
        assert organiser.post(f"/events/{event.slug}/questions/add", data=data).status_code == 422
        assert db.session.scalars(db.select(Question)).all() == []


class TestManyAtOnce:
    def bulk(self, organiser: Any, event: Event, verb: str, **data: Any) -> Any:
        return organiser.post(f"/events/{event.slug}/registrations/bulk/{verb}", data=data, follow_redirects=True).text

    def test_those_ticked_and_nobody_else(self, event: Event, organiser: Any) -> None:
        one, two = factories.make_registration(event, name="One"), factories.make_registration(event, name="Two")
        assert "1 registration cancelled" in self.bulk(organiser, event, "cancel", registration=[one.public_id])
        assert (one.state, two.state) == (RegistrationState.CANCELLED, RegistrationState.CONFIRMED)
        page = self.bulk(organiser, event, "cancel", registration=[one.public_id, two.public_id])
        assert "Not done for 1: One" in page
        assert two.state is RegistrationState.CANCELLED
        assert "Nobody was chosen" in self.bulk(organiser, event, "cancel")

    def test_everybody_found(self, event: Event, organiser: Any) -> None:
        people = [factories.make_registration(event, name=f"Siti {n}") for n in range(60)]
        other = factories.make_registration(event, name="Budi")
        assert "60 registrations cancelled" in self.bulk(organiser, event, "cancel", everybody="1", q="siti")
        assert {person.state for person in people} == {RegistrationState.CANCELLED}
        assert other.is_confirmed

    def test_people_of_another_event_are_not_touched(self, event: Event, organiser: Any, browse: Any) -> None:
        stranger = factories.make_registration(factories.make_event())
        assert "Nobody was chosen" in self.bulk(organiser, event, "cancel", registration=[stranger.public_id])
        assert stranger.is_confirmed
        assert (
            browse(factories.make_user(Role.CHECK_IN, event.consultation))
            .post(f"/events/{event.slug}/registrations/bulk/cancel")
            .status_code
            == 403
        )


FOUND_BY = [
    "siti", "NURHALIZA siti", "Dr. Siti", "prof siti nurhaliza, S.H.", "nurhalizá", "081277770001", "+62 812 7777", "kementerian luar",
    "siti.n@",
]  # fmt: skip


@pytest.mark.parametrize("words", FOUND_BY)
def test_people_are_found_as_one_types(words: str, event: Event, organiser: Any) -> None:
    contact = {"email": "siti.n@example.org", "phone": "+62 812-7777-0001", "institution": "Kementerian Luar Negeri"}
    factories.make_registration(event, name="Siti Nurhaliza", title_before="Dr.", **contact)
    factories.make_registration(event, name="Budi")
    page = organiser.get(f"/events/{event.slug}/registrations", query_string={"q": words}, headers={"HX-Request": "true"}).text
    assert "Siti Nurhaliza" in page
    assert "Budi" not in page


def test_the_list_asks_the_same_number_of_questions_whatever_its_length(event: Event, organiser: Any, count_queries: Any) -> None:
    url = f"/events/{event.slug}/registrations"

    def queries() -> int:
        with count_queries() as counted:
            organiser.get(url)
        return len(counted)

    for _n in range(10):
        factories.make_registration(event)
    few = queries()
    for _n in range(60):
        factories.make_registration(event)
    assert queries() == few


class TestTypes:
    def test_add_rename_move_remove(self, event: Event, organiser: Any) -> None:
        url = f"/consultations/{event.consultation.slug}/stakeholder-types"
        assert organiser.post(url, data={"name-en": "Trade union", "name-id": "Serikat"}).status_code == 303
        kind = db.session.scalars(db.select(StakeholderType).where(StakeholderType.code == "trade_union")).one()
        assert organiser.post(url, data={"name-en": "trade UNION", "name-id": ""}).status_code == 422
        assert organiser.post(f"{url}/{kind.public_id}", data={"name-en": "Union", "name-id": "Serikat"}).status_code == 303
        assert kind.name["en"] == "Union"
        place = kind.place
        assert organiser.post(f"{url}/{kind.public_id}/up").status_code == 303
        assert kind.place == place - 1
        assert organiser.post(f"{url}/{kind.public_id}/remove").status_code == 303
        used = factories.make_registration(event).stakeholder_type
        assert organiser.post(f"{url}/{used.public_id}/remove").status_code == 409

    def test_only_organisers(self, event: Event, browse: Any) -> None:
        url = f"/consultations/{event.consultation.slug}/stakeholder-types"
        assert browse(factories.make_user(Role.OBSERVER, event.consultation)).get(url).status_code == 403
        assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(url).status_code == 404


def test_the_balance_hides_small_numbers_from_observers(event: Event, organiser: Any, browse: Any) -> None:
    factories.make_registration(event)
    assert '<td data-label="Registered">1' in organiser.get(f"/events/{event.slug}/registrations/balance").text
    page = browse(factories.make_user(Role.OBSERVER, event.consultation)).get(f"/events/{event.slug}/registrations/balance").text
    assert '<td data-label="Registered">1' not in page
    assert "can be worked out" in page


def test_yes_or_no_is_asked_in_words_of_the_readers_language(event: Event, organiser: Any, browse: Any) -> None:
    """ "No" was once taken for the heading of a column of numbers."""
    add_question(organiser, event, kind="yes_no", options="")
    client = browse()
    client.post("/language", data={"language": "id"})
    page = client.get(f"/events/{event.slug}/register").text
    assert ">Ya<" in page
    assert ">Tidak<" in page
