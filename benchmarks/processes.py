"""A server process: how soon it serves, what it keeps in memory, and what a participant's phone loads at its first visit.

`python -m benchmarks.processes` prints one JSON object a line. The floor of the first two is a server of the same kind that
imports Flask and SQLAlchemy and has one view; that of the last is the page alone.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import subprocess
import time
import urllib.parse
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

from benchmarks.checkins import server
from benchmarks.site import empty_site, register, tell
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.registrations.tickets import link_secret
from tests.factories import BY

ROUNDS = 3


def ask(port: int, path: str, cookie: str = "") -> tuple[bytes, http.client.HTTPMessage]:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    asking.request("GET", path, headers={"Accept-Encoding": "br, gzip", "Cookie": cookie})
    answer = asking.getresponse()
    data = answer.read()
    assert answer.status == 200, (path, answer.status)
    return data, answer.headers


def resident(port: int) -> float:
    """Megabytes of the process that serves: gunicorn's worker; of shared pages only its part, of the system's own programs none."""
    pids = subprocess.run(["pgrep", "-f", f"127.0.0.1:{port}"], capture_output=True, text=True, check=True).stdout.split()
    words = Path(f"/proc/{max(int(pid) for pid in pids)}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+)", words, re.MULTILINE)[1]) / 1024  # type: ignore[index]


def seconds_to_serve(module: str, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds from the start to the first answer, and megabytes after some work."""
    started = time.perf_counter()
    with server(module, environment) as port:
        took = time.perf_counter() - started
        for _n in range(50):
            ask(port, "/sign-in" if module == "wsgi:app" else "/")
        return took, resident(port)


def main() -> None:
    with empty_site() as (app, event):
        for section in event.consultation.sections:
            consultations.open_section(section, by=BY)
        (person,) = register(event, 1)
        link, code = link_secret(person.seed), event.consultation.dimensions[0].indicators[0].code
        indicator = f"/consultations/{event.consultation.slug}/indicators/{code}"
        db.session.commit()
        db.session.remove()
        environment = {
            "CONSULT_VAR": str(app.config["VAR"]), "DATABASE_URL": app.config["DATABASE_URL"],
            "CONSULT_TOKEN_KEY": app.config["TOKEN_KEY"], "CONSULT_SECRET_KEY": app.config["SECRET_KEY"],
        }  # fmt: skip
        taken = [(seconds_to_serve("wsgi:app", environment), seconds_to_serve("benchmarks.floors:bare", {})) for _n in range(ROUNDS)]
        for place, (name, unit) in enumerate((("cold_start", "s"), ("rss_worker", "MB"))):
            ours, bare = [one[place] for one, _other in taken], [other[place] for _one, other in taken]
            tell(name, statistics.median(ours), unit, statistics.median(bare), ROUNDS, max(ours) - min(ours))
        with server("wsgi:app", environment) as port:
            first_load(port, link, indicator)


def first_load(port: int, link: str, indicator: str) -> None:
    """The page that the link opens, that of an indicator, and every file that they name, each once and compressed as a phone gets it."""
    base, jar = f"http://127.0.0.1:{port}", CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    page = browser.open(base + "/open").read().decode()
    (token,) = re.findall(r'name="csrf-token" content="([^"]+)"', page)
    browser.open(f"{base}/open", urllib.parse.urlencode({"csrf_token": token, "token": link}).encode()).close()
    cookie = "; ".join(f"{one.name}={one.value}" for one in jar)
    pages = {path: ask(port, path, cookie)[0] for path in ("/open", "/my/registration", indicator)}
    words = page + "".join(browser.open(base + path).read().decode() for path in ("/my/registration", indicator))
    files = set(re.findall(r'(?:href|src)="(/static/dist/[^"#?]+)', words))
    for style in [file for file in files if file.endswith(".css")]:
        files |= {
            urllib.parse.urljoin(style, one) for one in re.findall(r"url\(['\"]?([^)'\"#?]+)", browser.open(base + style).read().decode())
        }
    files = {file for file in files if not file.startswith("data:") and not file.endswith((".webmanifest", ".png"))}
    html = sum(len(data) for data in pages.values())
    tell("participant_first_load_bytes", html + sum(len(ask(port, file)[0]) for file in files), "bytes", html, len(files) + len(pages))


if __name__ == "__main__":
    os.environ.pop("DATABASE_URL", None)
    main()
