"""A device that meets 10,000 guests: its first sync, over HTTP and in a browser, and a scan that it answers by itself.

`python -m benchmarks.guests` prints one JSON object a line. The floor of the sync is the same bytes from a bare server; that
of a local scan is one SHA-256 and one durable write in the same browser, without which it cannot be answered.
"""

from __future__ import annotations

import gzip
import http.client
import http.server
import statistics
import tempfile
import threading
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from benchmarks.site import tell
from tests.journeys.conftest import FLAGS, chromium_path, serve, wait_for
from tests.journeys.desks import CAMERA, Desk, desk_of, video

GUESTS, ROUNDS = 10_000, 5
LOCAL_SCANS = """async (codes) => {
    const taken = [];
    for (const code of codes) { const started = performance.now(); await desk.scan({ code }); taken.push(performance.now() - started); }
    return taken.sort((one, other) => one - other);
}"""
FLOOR = """async (times) => {
    const database = await new Promise((done) => {
        const asked = indexedDB.open("floor", 1);
        asked.onupgradeneeded = () => asked.result.createObjectStore("rows", { autoIncrement: true });
        asked.onsuccess = () => done(asked.result);
    });
    const taken = [];
    for (let n = 0; n < times; n++) {
        const started = performance.now();
        await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`code ${n}`));
        const change = database.transaction("rows", "readwrite", { durability: "strict" });
        change.objectStore("rows").add({ code: n });
        await new Promise((done) => { change.oncomplete = done; });
        taken.push(performance.now() - started);
    }
    return taken.sort((one, other) => one - other);
}"""


def _get(port: int, path: str, token: str) -> tuple[float, bytes]:
    """Seconds until the last byte, and the bytes as they came, compressed."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started = time.perf_counter()
    asked.request("GET", path, headers={"Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"})
    answer = asked.getresponse()
    data = answer.read()
    seconds = time.perf_counter() - started
    assert (answer.status, answer.getheader("Content-Encoding")) == (200, "gzip"), answer.status
    return seconds, data


def _floor(data: bytes) -> float:
    class Bare(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bare) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        taken = [_get(server.server_port, "/", "")[0] for _round in range(ROUNDS)]
        server.shutdown()
    return statistics.median(taken)


def over_http(desk: Desk, token: str) -> None:
    port = int(desk.site.url.rsplit(":", 1)[1])
    _get(port, f"/api/v1/events/{desk.slug}/guests", token)
    taken, data = [], b""
    for _round in range(ROUNDS):
        seconds, data = _get(port, f"/api/v1/events/{desk.slug}/guests", token)
        taken.append(seconds)
    assert gzip.decompress(data).count(b'"code"') == GUESTS
    tell("guests_10000_sync", statistics.median(taken), "s", _floor(data), ROUNDS, max(taken) - min(taken))
    tell("guests_10000_bytes", len(data), "bytes", None, 1)


def in_a_browser(desk: Desk, folder: Path) -> str:
    """Pair, wait until all are known, then scan without a network; returns the device's token."""
    blank = video(folder / "blank.y4m", None)
    with sync_playwright() as running:
        context = running.chromium.launch_persistent_context(
            str(folder / "profile"), executable_path=chromium_path(), args=[*FLAGS, *CAMERA, blank], permissions=["camera"]
        )
        page = context.pages[0]
        started = time.perf_counter()
        page.goto(f"{desk.site.url}/desk#{desk.pairings[0]}")
        wait_for(lambda: page.evaluate("window.desk?.known.count === 10000"))
        tell("guests_10000_ready", time.perf_counter() - started, "s", None, 1)
        floor = statistics.median(page.evaluate(FLOOR, 200))
        context.set_offline(True)
        wait_for(lambda: not page.evaluate("desk.state.isOnline"))
        taken = page.evaluate(LOCAL_SCANS, desk.codes[:200])
        tell("guests_10000_local_scan", statistics.median(taken), "ms", floor, 200, taken[-1] - taken[0])
        tell("guests_10000_local_scan_p99", taken[int(len(taken) * 0.99)], "ms", None, 200)
        token: str = page.evaluate(
            """() => new Promise((done) => { indexedDB.open("consult-desk").onsuccess = (event) => {
                event.target.result.transaction("state").objectStore("state").get("token").onsuccess = (found) => done(found.target.result);
            }; })"""
        )
        context.close()
        return token


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "var").mkdir()
        with serve(path / "var", demo=False) as site:
            desk = desk_of(site, GUESTS)
            over_http(desk, in_a_browser(desk, path))


if __name__ == "__main__":
    main()
