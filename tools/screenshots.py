"""Pictures of the pages of a running demonstration, for README.md and to be judged.

Starts the site on a fresh demonstration, opens the pages as each role, and writes PNGs: the few of README.md under
docs/screenshots/, and with `--all DIR` every page at 390 and 1280 px, light and dark, in both languages.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
NATIONAL, LOCAL = "/consultations/mgi-indonesia-2023", "/consultations/mgi-central-java-2023"
# name -> (who, address); who is the place of the account on the sign-in page, -1 the participant, None nobody
PAGES: dict[str, tuple[int | None, str]] = {
    "front": (None, "/"),
    "sign-in": (None, "/sign-in"),
    "event": (None, "/events/local-validation-2023"),
    "home": (0, "/"),
    "consultation": (0, NATIONAL),
    "sections": (0, f"{NATIONAL}/sections"),
    "section": (4, f"{NATIONAL}/sections/4"),
    "edit-section": (4, f"{NATIONAL}/sections/4/edit"),
    "revision": (0, f"{LOCAL}/sections/2/revisions/2"),
    "team": (0, f"{NATIONAL}/team"),
    "import": (0, f"{NATIONAL}/framework/import"),
    "registrations": (0, "/events/local-validation-2023/registrations"),
    "attendance": (0, "/events/national-validation-2023/attendance"),
    "desk": (6, "/events/national-validation-2023/desk"),
    "walk-in": (6, "/events/national-validation-2023/desk/walk-in"),
    "review": (1, f"{NATIONAL}/comments?section=4"),
    "home-focal-point": (1, "/"),
    "sign": (1, f"{NATIONAL}/sections/2/sign"),
    "sign-off": (0, f"{LOCAL}/sign-off"),
    "report": (0, f"{LOCAL}/report"),
    "verify": (None, "/verify"),
    "ticket": (-1, "/my/registration"),
    "indicators": (-1, f"{NATIONAL}/take-part"),
    "indicator": (-1, f"{NATIONAL}/indicators/5.1"),
    "my-comments": (-1, "/my/comments"),
}
FOR_README = {"consultation": 1280, "sign": 1280, "review": 1280, "indicator": 390, "ticket": 390}


@contextmanager
def demonstration() -> Iterator[str]:
    """A fresh demonstration on a free port; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CONSULT_VAR": folder, "CONSULT_DEMO": "1", "CONSULT_BASE_URL": f"http://127.0.0.1:{port}"}
        command = [str(ROOT / ".venv/bin/consult"), "serve", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}"
        try:
            for _try in range(240):
                try:
                    urllib.request.urlopen(url, timeout=5).close()
                    break
                except OSError:
                    time.sleep(0.5)
            yield url
        finally:
            process.terminate()
            process.wait()


def enter(page: Page, url: str, who: int | None) -> None:
    """Be one of the demo's people by one click on the sign-in page."""
    if who is not None:
        page.goto(f"{url}/sign-in")
        accounts = page.locator(".demo-account")
        (accounts.last if who == -1 else accounts.nth(who)).click()
        page.wait_for_load_state()


def shoot(browser: Browser, url: str, names: list[str], folder: Path, width: int, scheme: str, language: str) -> None:
    """One picture of each page, at one width, in one colour scheme and language."""
    folder.mkdir(parents=True, exist_ok=True)
    for who in dict.fromkeys(PAGES[name][0] for name in names):
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900}, color_scheme=scheme, locale=language
        )  # type: ignore[arg-type]
        page = context.new_page()
        enter(page, url, who)
        for name in (n for n in names if PAGES[n][0] == who):
            address = PAGES[name][1]
            page.goto(f"{url}{address}{'&' if '?' in address else '?'}lang={language}")
            suffix = f"-{width}-{scheme}-{language}" if folder.name != "screenshots" else ""
            page.screenshot(path=str(folder / f"{name}{suffix}.png"), full_page=folder.name != "screenshots")
        context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, help="write every page in every form to this folder instead")
    parser.add_argument("--url", help="a demonstration that runs already")
    parser.add_argument("--only", nargs="*", default=list(PAGES))
    parser.add_argument("--forms", nargs="*", default=["390-light-en", "390-dark-id", "1280-light-id", "1280-dark-en"])
    chosen = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=FLAGS)

        def take(url: str) -> None:
            if chosen.all:
                for form in chosen.forms:
                    width, scheme, language = form.split("-")
                    shoot(browser, url, chosen.only, chosen.all, int(width), scheme, language)
                return
            for width in sorted(set(FOR_README.values())):
                names = [name for name, wanted in FOR_README.items() if wanted == width]
                shoot(browser, url, names, ROOT / "docs" / "screenshots", width, "light", "en")

        if chosen.url:
            take(chosen.url)
        else:
            with demonstration() as url:
                take(url)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
