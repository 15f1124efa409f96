"""Rule 11 by a crawl: under the Chatham House Rule nothing that a participant or an observer can reach tells who spoke.

Every page that links lead to, and every GET route that can be filled with ids that exist (whoever may see them): pages,
fragments, streams, files, exports and the API, as text.
"""

from __future__ import annotations

import html
import io
import re
import urllib.parse
import zipfile
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader

from consult_app.policy import Role
from tests import factories
from tests.comments.files import PDF
from tests.world import World, filled, make_world


@pytest.fixture
def world(app: Flask) -> World:
    return make_world()


# -- reading --


def words_of(answer: Any) -> str:
    """What an answer says, whatever its form, headers included."""
    kind, data = answer.mimetype, answer.data
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers)
    if kind == "application/pdf" and not data.startswith(PDF):  # a file of evidence is what somebody sent, and not ours to read
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    elif data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = " ".join(archive.read(part).decode("utf-8", "replace") for part in archive.namelist())
    else:
        text = data.decode("utf-8", "replace")
    return head + html.unescape(text)


def read(client: Any, path: str) -> tuple[int, str]:
    if not path.split("?")[0].endswith("/stream"):
        answer = client.get(path)
        return answer.status_code, words_of(answer)
    answer, said = client.get(path, buffered=False), ""
    for part in answer.response if answer.status_code == 200 else []:  # the first event; it would go on
        said += part.decode() if isinstance(part, bytes) else part
        if "\ndata: " in said:
            break
    answer.close()
    return answer.status_code, said


def crawl(app: Flask, client: Any, world: World) -> dict[str, str]:
    """All that this reader gets to read, by address."""
    waiting = [*dict.fromkeys(filled(app, world))]
    known, got = set(waiting), {}
    while waiting:
        path = waiting.pop()
        status, text = read(client, path)
        if status != 200:
            assert status < 500, path
            continue
        got[path] = text
        links = re.findall(r'(?:href|action|data-stream|data-now|data-hx-get|src)="([^"#]+)', text) if "<" in text else []
        for link in (urllib.parse.urljoin(path, html.unescape(one)) for one in links):
            # a link to the same page in another order, and files that are the same for everybody, tell nothing new
            if link.startswith("/") and link not in known and not link.startswith(("/static", "/sign", "//")) and "?" not in link:
                known.add(link)
                waiting.append(link)
    return got


def told(got: dict[str, str], words: list[str]) -> dict[str, list[str]]:
    found = {path: [one for one in words if one in text] for path, text in got.items()}
    return {path: hits for path, hits in found.items() if hits}


# pages without which the crawl would prove nothing
SEEN_BY_BOTH = (
    "/indicators/1.1", "/comment-matrix.csv", "/comment-matrix.xlsx", "/positions", "/positions?by=institution", "/evidence/1", "/now",
    "/stream",
)  # fmt: skip


OF_A_PARTICIPANT = ("/now", "/my/data.json", "/reply")
OF_AN_OBSERVER = ("/comments", "/report/draft.pdf", "/sign-off", "/sections/1/revisions/1")


def test_rule_11_nothing_within_reach_tells_who_spoke(app: Flask, world: World, browse: Any) -> None:
    event = world.event
    participant = factories.make_registration(event, name="Pembaca Biasa", institution="Kantor Pembaca", kind="cso")
    observer = factories.make_user(Role.OBSERVER, world.consultation)
    for reader, more in ((participant, OF_A_PARTICIPANT), (observer, OF_AN_OBSERVER)):
        got = crawl(app, browse(reader), world)
        for end in (*SEEN_BY_BOTH, *more):
            assert [path for path in got if path.endswith(end)], end
        assert told(got, world.telling) == {}
        assert any("Comment 1 on 0" in text for path, text in got.items() if path.endswith("/now"))


def test_the_crawl_finds_what_staff_may_see(app: Flask, world: World, browse: Any) -> None:
    """The control: as somebody who knows, the same pages name names."""
    client = browse(factories.make_user(Role.RAPPORTEUR, world.consultation))
    slug = world.consultation.slug
    for path in (
        f"/consultations/{slug}/indicators/1.1",
        f"/consultations/{slug}/comment-matrix.xlsx",
        f"/consultations/{slug}/positions?by=institution",
    ):
        assert told({path: read(client, path)[1]}, world.telling), path
    for path in ("/api/v1/events/{e}", "/api/v1/events/{e}/guests"):
        assert browse(world.event and factories.make_registration(world.event)).get(path.format(e=world.event.slug)).status_code == 401
