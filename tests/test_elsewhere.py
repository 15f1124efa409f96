"""Rule 34: nothing that one person asks for holds up the others."""

from __future__ import annotations

import io
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest

from consult_app import create_app
from consult_app.comments import actions
from consult_app.comments.models import Comment, CommentKind
from consult_app.consultations import actions as consultations
from consult_app.db import db, transaction_mode
from consult_app.registrations.tickets import link_secret
from tests import factories
from tests.bulk import multiply
from tests.journeys.conftest import serve

COMMENTS = 5000


@pytest.fixture
def site(tmp_path: Path) -> Any:
    """A server as an operator starts it, of a consultation with 5,000 comments; and the link of one who wrote some of them."""
    with serve(tmp_path, demo=False) as running:
        app = create_app({"VAR": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path / 'consult.db'}", "DEMO": False})
        with app.app_context(), transaction_mode("write"):
            consultation = factories.make_consultation()
            consultations.open_section(consultation.sections[0], by=factories.BY)
            author = factories.make_registration(factories.make_event(consultation))
            for n in range(20):
                indicator = consultation.sections[0].dimension.indicators[0]
                actions.write_comment(indicator, author, CommentKind.CORRECTION, f"Comment {n}. " * 20, by=author, client_key=f"k{n}")
            link, slug = link_secret(author.seed), consultation.slug
            multiply(db.session, COMMENTS // 20 - 1, ("comments",))
            db.session.commit()
            assert db.session.scalar(db.select(db.func.count()).select_from(Comment)) == COMMENTS
            db.session.remove()
            db.engine.dispose()
        yield running, slug, link


def test_the_matrix_of_five_thousand_comments_holds_up_nobody(site: Any) -> None:
    running, slug, link = site
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    page = browser.open(f"{running.url}/open", timeout=20).read().decode()
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    sent = urllib.parse.urlencode({"token": link, "csrf_token": token}).encode()
    entered = urllib.request.Request(f"{running.url}/open", sent, {"Referer": f"{running.url}/open", "Origin": running.url})
    browser.open(entered, timeout=20).close()
    got: list[Any] = []

    def ask() -> None:
        with browser.open(f"{running.url}/consultations/{slug}/comment-matrix.docx", timeout=180) as answer:
            got.append((answer.status, answer.headers["Content-Type"], answer.read()))

    asking = threading.Thread(target=ask)
    asking.start()
    slowest, times = 0.0, 0
    while asking.is_alive():
        started = time.monotonic()
        urllib.request.urlopen(f"{running.url}/healthz", timeout=20).close()
        slowest, times = max(slowest, time.monotonic() - started), times + 1
        asking.join(0.1)
    assert slowest < 5
    assert times > 10
    ((status, kind, data),) = got
    assert status == 200
    assert "wordprocessingml" in kind
    with zipfile.ZipFile(io.BytesIO(data)) as paper:
        assert paper.read("word/document.xml").count(b"<w:tr>") == COMMENTS + 1
