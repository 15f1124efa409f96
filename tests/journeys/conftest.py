"""A real server process with its job worker, and a real browser."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.journeys.people import Reader

Found = TypeVar("Found")
ROOT = Path(__file__).resolve().parent.parent.parent
CONSULT = Path(sys.executable).parent / "consult"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]  # fmt: skip


PATIENCE = 30_000  # milliseconds: a machine that does other things too is slow, and what does not come at all is found as well
expect.set_options(timeout=PATIENCE)


@dataclass
class Site:
    """A site that runs in processes of its own."""

    url: str
    var: Path
    environment: dict[str, str]

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a `consult` command on the same site."""
        return subprocess.run([CONSULT, *words], env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)

    def mails(self) -> list[Path]:
        return sorted((self.var / "mail").glob("*.eml"))

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.var / "consult.db")


@contextmanager
def serve(var: Path, demo: bool) -> Iterator[Site]:
    """Start `consult serve` as an operator does, and stop it by the signal of Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "CONSULT_VAR": str(var), "CONSULT_BASE_URL": url, "CONSULT_DEMO": "1" if demo else ""}
    environment.pop("DATABASE_URL", None)
    with (var / "serve.log").open("wb") as log:
        process = subprocess.Popen([CONSULT, "serve", "--port", str(port)], env=environment, cwd=ROOT, stdout=log, stderr=log)
    try:

        def answers() -> bool:
            assert process.poll() is None, (var / "serve.log").read_text()
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=5).close()
                return True
            return False

        wait_for(answers, 180)
        yield Site(url, var, environment)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def wait_for(find: Callable[[], Found | None], seconds: float = 40) -> Found:
    """What `find` finds, as soon as it does: another process makes it, and nothing tells us when."""
    end = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty site that is not the demonstration."""
    with serve(tmp_path, demo=False) as running:
        yield running


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that is not the demonstration, for all tests of a worker: whoever takes it empties its database."""
    with serve(tmp_path_factory.mktemp("site"), demo=False) as running:
        yield running


@pytest.fixture(scope="session")
def demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, for tests that only read it."""
    with demo_copy(tmp_path_factory) as running:
        yield running


@pytest.fixture
def own_demo_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, for one test that changes it."""
    with demo_copy(tmp_path_factory) as running:
        yield running


@contextmanager
def demo_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration, loaded once for all workers, its report sealed by the worker; each runs on a copy of its own."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "demo"  # one run, one demonstration
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            with serve(shared, demo=True) as first:

                def is_sealed() -> bool:
                    with first.database() as database:
                        return bool(database.execute("SELECT count(*) FROM reports WHERE state = 'sealed'").fetchone()[0])

                wait_for(is_sealed, 120)
            (shared / "done").touch()
    copy = tmp_path_factory.mktemp("demo") / "var"
    shutil.copytree(shared, copy)
    with serve(copy, demo=True) as running:
        yield running


@pytest.fixture(scope="session")
def crawled(demo_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int | None], list[tuple[str, str]]]:
    """`crawled(place)`: every page that an account of the demonstration reaches, and its text; read once for all workers."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def pages(place: int | None) -> list[tuple[str, str]]:
        kept = shared / f"crawled-{place}.json"
        with (shared / f"crawled-{place}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_text(json.dumps(list(Reader(demo_site.url, place).crawl())))
        return [(path, text) for path, text in json.loads(kept.read_text())]

    return pages


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all: a process runs only one of its loops."""
    with sync_playwright() as running:
        yield running


def chromium_path() -> str | None:
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Any]:
    """`open_page(width=390)`: a page in a browser profile of its own."""
    contexts = []

    def make(width: int = 1280, language: str = "en", **more: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, locale=language, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        return page

    yield make
    for context in contexts:
        context.close()
