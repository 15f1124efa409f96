"""The check-in desk in a real browser: the camera, no network, a network that breaks at fifty places, revocation, the kiosk."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, expect

from consult_app.attendance.models import DeviceKind
from tests.journeys.conftest import FLAGS, PATIENCE, Site, chromium_path, wait_for
from tests.journeys.desks import CAMERA, Desk, desk_of, photo, video

pytestmark = pytest.mark.browser


@pytest.fixture
def desk(shared_site: Site) -> Desk:
    return desk_of(shared_site, 5)


@pytest.fixture
def phone(playwright: Playwright) -> Any:
    """`with phone(url, profile, *flags) as page`: a browser whose profile stays on the disk, as on a phone that is switched off and on."""

    @contextlib.contextmanager
    def make(url: str, profile: Path, *flags: str) -> Iterator[Any]:
        context = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=chromium_path(), args=[*FLAGS, *CAMERA, *flags], permissions=["camera"], locale="en",
            viewport={"width": 390, "height": 844},
        )  # fmt: skip
        try:
            page = context.pages[0]
            page.set_default_timeout(PATIENCE)
            page.goto(url)
            yield page
        finally:
            context.close()

    return make


def test_a_code_before_the_camera_turns_the_screen_green(desk: Desk, phone: Any, tmp_path: Path) -> None:
    seen = video(tmp_path / "code.y4m", desk.codes[2])
    with phone(f"{desk.site.url}/desk#{desk.pairings[0]}", tmp_path / "profile", seen) as page:
        expect(page.locator("#answer.scan-answer--ok")).to_be_visible()
        expect(page.locator("#answer-name")).to_have_text(desk.names[2])
        assert page.url == f"{desk.site.url}/desk"  # the secret left the address
        wait_for(lambda: desk.rows("SELECT count(*) FROM check_ins WHERE is_arrival AND device_id = 1")[0][0] == 1)
        expect(page.locator("#answer")).to_be_hidden()  # ready again by itself
        looks = page.locator("#video").evaluate("(video) => video.currentTime")
        wait_for(lambda: page.locator("#video").evaluate("(video) => video.currentTime") > looks + 3.5)
        expect(page.locator("#answer")).to_be_hidden()  # a code that is held on is one scan
    assert desk.rows("SELECT count(*) FROM check_ins") == [(1,)]


def test_a_blank_picture_reads_nothing_and_other_ways_remain(desk: Desk, phone: Any, tmp_path: Path) -> None:
    blank = video(tmp_path / "blank.y4m", None)
    with phone(f"{desk.site.url}/desk#{desk.pairings[0]}", tmp_path / "profile", blank) as page:
        expect(page.locator("#status")).to_contain_text("5 people known")
        expect(page.locator("#video")).to_be_visible()
        wait_for(lambda: page.locator("#video").evaluate("(video) => video.currentTime") > 2)
        expect(page.locator("#answer")).to_be_hidden()
        page.get_by_label("Code of the ticket").fill(desk.codes[1].lower())
        page.get_by_role("button", name="Check in").first.click()
        expect(page.locator("#answer.scan-answer--ok")).to_be_visible()
        expect(page.locator("#answer")).to_be_hidden()
        page.keyboard.press("Tab")
        page.locator("#last").click()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.type(desk.codes[3] + "\n")  # a keyboard scanner, wherever the focus is
        expect(page.locator("#answer-name")).to_have_text(desk.names[3])
        page.get_by_label("Search by name or institution").fill(desk.names[4].upper())
        page.locator("#answer").wait_for(state="hidden")
        page.locator(".found__person").first.get_by_role("button", name="Check in").click()
        expect(page.locator("#answer-name")).to_have_text(desk.names[4])
        page.locator("#answer").wait_for(state="hidden")
        page.locator("#photo").set_input_files(photo(tmp_path / "ticket.png", desk.codes[0]))  # a picture that was taken before
        expect(page.locator("#answer-name")).to_have_text(desk.names[0])
        page.locator("#answer").wait_for(state="hidden")
        page.locator("#photo").set_input_files(photo(tmp_path / "wall.png", None))
        expect(page.locator("#answer-why")).to_contain_text("There is no code in this picture")
    assert desk.rows("SELECT count(*) FROM check_ins WHERE is_arrival")[0][0] == 4


def test_another_camera_can_be_chosen_and_is_kept(desk: Desk, phone: Any, tmp_path: Path) -> None:
    two = "--use-fake-device-for-media-stream=device-count=2"
    with phone(f"{desk.site.url}/desk#{desk.pairings[0]}", tmp_path / "profile", two) as page:
        cameras = page.get_by_label("Camera", exact=True)
        expect(cameras.locator("option")).to_have_count(2)
        shown = page.evaluate("document.getElementById('video').srcObject.getVideoTracks()[0].label")
        cameras.select_option(index=1 if cameras.locator("option").first.inner_text() == shown else 0)
        look = "document.getElementById('video').srcObject.getVideoTracks()[0].label"
        other = wait_for(lambda: (now := page.evaluate(look)) != shown and now)
        page.reload()
        wait_for(lambda: page.evaluate("document.getElementById('video').srcObject?.getVideoTracks()[0].label") == other)


def test_rule_8_without_a_network_the_desk_goes_on_and_a_revoked_one_forgets_everything(desk: Desk, phone: Any, tmp_path: Path) -> None:
    blank = video(tmp_path / "blank.y4m", None)
    with phone(f"{desk.site.url}/desk#{desk.pairings[0]}", tmp_path / "profile", blank) as page:
        expect(page.locator("#status")).to_contain_text("5 people known")
        wait_for(lambda: page.evaluate("navigator.serviceWorker.getRegistration('/desk').then((r) => Boolean(r?.active))"))
        page.context.set_offline(True)
        for code, look in ((desk.codes[0], "ok"), (desk.codes[0], "already"), ("C1UNKNOWN", "already")):
            page.get_by_label("Code of the ticket").fill(code)
            page.get_by_label("Code of the ticket").press("Enter")
            expect(page.locator(f"#answer.scan-answer--{look}")).to_be_visible()
            page.locator("#answer").click()
        expect(page.locator("#status")).to_contain_text("3 waiting to be sent")
        page.reload()  # the page and what waits survive
        expect(page.locator("#status")).to_contain_text("3 waiting to be sent")
        expect(page.locator("#network")).to_have_text("Offline")
        assert desk.rows("SELECT count(*) FROM check_ins")[0][0] == 0
        page.context.set_offline(False)
        expect(page.locator("#status")).to_contain_text("0 waiting to be sent")
        assert desk.rows("SELECT result, claimed_at IS NOT NULL FROM check_ins ORDER BY id") == [("ok", 1), ("already", 1)]

        desk.revoke_first()
        page.get_by_label("Code of the ticket").fill(desk.codes[4])
        page.get_by_label("Code of the ticket").press("Enter")
        expect(page.get_by_role("heading", name="This device was revoked")).to_be_visible()
        count = """new Promise((done) => {
            const opening = indexedDB.open("consult-desk");
            opening.onsuccess = () => {
                const asked = opening.result.transaction("state").objectStore("state").count();
                asked.onsuccess = () => done(asked.result);
            };
        })"""
        wait_for(lambda: page.evaluate(count) == 0)
        assert desk.rows("SELECT count(*) FROM check_ins WHERE is_arrival")[0][0] == 1


def test_a_kiosk_asks_whether_it_is_you(shared_site: Site, phone: Any, tmp_path: Path) -> None:
    desk = desk_of(shared_site, 3, DeviceKind.KIOSK)
    seen = video(tmp_path / "code.y4m", desk.codes[1])
    with phone("about:blank", tmp_path / "profile", seen) as page:
        lists: list[Any] = []  # a slow network: the camera sees a code before the list of guests is there
        page.route("**/guests?since=*", lambda route: lists.append(route))
        page.goto(f"{desk.site.url}/desk#{desk.pairings[0]}")
        wait_for(lambda: page.locator("#video").evaluate("(video) => video.currentTime") > 2 and lists)
        assert desk.rows("SELECT count(*) FROM check_ins")[0][0] == 0
        page.unroute_all()  # and those that wait go on
        page.evaluate("window.print = () => { window.printed = document.getElementById('paper').textContent }")
        expect(page.locator("#confirm-name")).to_have_text(desk.names[1])
        assert desk.rows("SELECT count(*) FROM check_ins")[0][0] == 0
        expect(page.get_by_label("Search by name or institution")).to_be_hidden()
        page.get_by_role("button", name="Yes, check me in").click()
        expect(page.locator("#answer.scan-answer--ok")).to_be_visible()
        assert desk.names[1] in wait_for(lambda: page.evaluate("window.printed"))
        assert desk.rows("SELECT count(*) FROM check_ins WHERE is_arrival")[0][0] == 1


def test_a_desk_signs_undoes_replaces_and_registers_also_without_a_network(shared_site: Site, phone: Any, tmp_path: Path) -> None:
    desk = desk_of(shared_site, 5, asks_signature=True)
    blank = video(tmp_path / "blank.y4m", None)
    with phone(f"{desk.site.url}/desk#{desk.pairings[0]}", tmp_path / "profile", blank) as page:
        code, answer, sign = page.get_by_label("Code of the ticket"), page.locator("#answer"), page.locator("#sign")

        def draw() -> None:
            field = page.locator("#sign-canvas").bounding_box()
            page.mouse.move(field["x"] + 20, field["y"] + 20)
            page.mouse.down()
            page.mouse.move(field["x"] + 120, field["y"] + 60, steps=8)
            page.mouse.up()

        def enter(text: str) -> None:
            code.fill(text)
            code.press("Enter")
            expect(page.locator("#answer.scan-answer--ok")).to_be_visible()
            answer.click()

        expect(page.locator("#status")).to_contain_text("5 people known")
        enter(desk.codes[0])
        expect(sign).to_be_visible()
        page.get_by_role("button", name="Done").click()
        expect(sign).to_contain_text("Nothing is drawn yet")
        draw()
        page.get_by_role("button", name="Done").click()
        expect(sign).to_be_hidden()
        ((strokes,),) = desk.rows("SELECT strokes FROM drawn_signatures")
        assert json.loads(strokes)[0][0] in range(20, 80)  # 20 of 360 pixels from the left, in thousandths
        # undone with a reason, and let in again
        page.get_by_role("button", name="Undo", exact=True).click()
        page.get_by_label("Why it is undone").fill("Wrong person")
        page.get_by_role("button", name="Undo the check-in").click()
        expect(page.locator("#last")).to_contain_text(f"Undone: {desk.names[0]}")
        assert desk.rows("SELECT undo_reason FROM check_ins WHERE undone_at IS NOT NULL") == [("Wrong person",)]
        enter(desk.codes[0])
        page.get_by_role("button", name="Skip").click()
        # a colleague came instead
        page.get_by_label("Search by name or institution").fill(desk.names[1])
        page.get_by_role("button", name="A colleague came instead").click()
        form = page.locator("#replace-form")
        form.get_by_label("Name of the colleague").fill("Siti")
        form.get_by_label("Woman").check()
        form.get_by_role("button", name="Register and check in").click()
        expect(page.locator("#answer-name")).to_have_text("Siti")
        answer.click()
        page.get_by_role("button", name="Skip").click()
        assert desk.rows("SELECT state FROM registrations WHERE name = '" + desk.names[1] + "'") == [("replaced",)]

        # the same without a network: all of it waits, and goes up in order
        wait_for(lambda: page.evaluate("navigator.serviceWorker.getRegistration('/desk').then((r) => Boolean(r?.active))"))
        page.context.set_offline(True)
        enter(desk.codes[2])
        draw()
        page.get_by_role("button", name="Done").click()
        page.get_by_role("button", name="Undo", exact=True).click()
        page.get_by_label("Why it is undone").fill("Did not come in")
        page.get_by_role("button", name="Undo the check-in").click()
        expect(page.locator("#last")).to_contain_text("Noted")
        page.locator("#walk-in summary").click()
        form = page.locator("#walk-in-form")
        form.get_by_label("Name").fill("=1+1 <img src=x>")
        form.get_by_label("Institution").fill("Office")
        form.get_by_label("Stakeholder type").select_option(index=1)
        form.get_by_label("Not told").check()
        form.get_by_role("button", name="Register and check in").click()
        expect(page.locator("#answer-name")).to_have_text("=1+1 <img src=x>")
        expect(page.locator("#status")).to_contain_text("4 waiting to be sent")
        page.reload()
        expect(page.locator("#status")).to_contain_text("4 waiting to be sent")
        page.context.set_offline(False)
        expect(page.locator("#status")).to_contain_text("0 waiting to be sent")
        expect(page.locator("#findings")).to_be_hidden()  # nothing turned out differently
    assert desk.rows("SELECT count(*) FROM check_ins WHERE undone_at IS NOT NULL")[0][0] == 2
    assert desk.rows("SELECT count(*) FROM drawn_signatures")[0][0] == 2
    assert desk.rows("SELECT count(*) FROM registrations WHERE name = '=1+1 <img src=x>' AND state = 'confirmed'")[0][0] == 1
    assert desk.rows("SELECT count(*) FROM check_ins WHERE is_arrival AND undone_at IS NULL")[0][0] == 3


@dataclass
class Proxy:
    """Between the browser and the server: cuts the line after so many bytes, as often as it is told to."""

    port: int
    cuts: list[int]
    made: int = 0
    through: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _accept(self, listener: socket.socket) -> None:
        while True:
            browser, _address = listener.accept()
            server = socket.create_connection(("127.0.0.1", self.port))
            for one, other in ((browser, server), (server, browser)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 14):
                allowed = self._allowed(len(data))
                other.sendall(data[:allowed])
                if allowed < len(data):
                    break
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _allowed(self, size: int) -> int:
        with self.lock:
            if not self.cuts or self.through + size < self.cuts[0]:
                self.through += size
                return size
            allowed = max(0, self.cuts.pop(0) - self.through)
            self.through, self.made = 0, self.made + 1
            return allowed


def test_rule_8_a_sync_of_a_thousand_cut_at_fifty_points_arrives_once(shared_site: Site, phone: Any, tmp_path: Path) -> None:
    desk = desk_of(shared_site, 1000)
    blank, profile = video(tmp_path / "blank.y4m", None), tmp_path / "profile"
    proxy = Proxy(int(desk.site.url.rsplit(":", 1)[1]), [])
    url = proxy.start()
    chance = random.Random(8)
    with phone(f"{url}/desk#{desk.pairings[0]}", profile, blank) as page:
        expect(page.locator("#status")).to_contain_text("1000 people known")
        page.context.set_offline(True)
        page.evaluate("async (codes) => { for (const code of codes) await desk.scan({ code }); }", desk.codes)
        expect(page.locator("#status")).to_contain_text("1000 waiting to be sent")
    # each cut falls somewhere in the next bytes that go either way: in a request, in an answer, between the two
    proxy.cuts = [chance.randrange(200, 16_000) for _n in range(50)]
    restarts, waiting = 0, 1000
    while restarts < 4 or proxy.made < 50 or waiting > 0:
        with phone(f"{url}/desk", profile, blank) as page:
            page.locator("#status").wait_for(state="visible")
            goal = 50 if restarts >= 3 else (restarts + 1) * 12

            def is_far_enough(page: Any = page, goal: int = goal) -> bool:
                page.evaluate("desk.sync()")
                return proxy.made >= goal and (goal < 50 or page.evaluate("desk.state.waiting") == 0)

            wait_for(is_far_enough, 60)
            waiting = page.evaluate("desk.state.waiting")
        restarts += 1
    assert proxy.made == 50
    assert desk.rows("SELECT count(*), count(DISTINCT registration_id) FROM check_ins WHERE is_arrival") == [(1000, 1000)]
    assert desk.rows("SELECT count(*) FROM check_ins") == [(1000,)]
    order = desk.rows("SELECT registration_id FROM check_ins ORDER BY id")
    assert order == sorted(order)  # in the order in which they were made
