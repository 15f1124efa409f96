"""Requests that no browser sends: a fixed list over real sockets, and what Hypothesis and schemathesis make up. None is our mistake.

The fixed list comes from the routes themselves, so that a new one is tried too. Whoever sends is signed in as organiser and
shows the right CSRF token: what is refused at the door proves nothing.
"""

from __future__ import annotations

import contextlib
import contextvars
import itertools
import re
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some
from werkzeug.routing import Rule

from benchmarks.checkins import server
from benchmarks.site import site
from consult_app.attendance.devices import create_token
from consult_app.db import db
from consult_app.events.models import Event
from proofs import Finding
from tests import factories

BAD = ["%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "a" * 3000, "-1", "%F0%9F%92%A3", "9" * 40, "'%20OR%201=1--"]
QUERY = "page=-1&page=99999999999999999999999&q=%00%ff&at=2023-13-45&sort=%27&since=x&language=%00&next=//evil.example&code=%f0%28&view=%00"
# names that forms and views read, with values of no kind that they expect
FIELDS = (
    "name", "email", "text", "code", "kind", "value", "reason", "client_key", "public_id", "starts_on", "starts_at", "capacity", "slug",
    "title", "title_en", "role", "section", "state", "decision", "number", "language", "token", "seats", "due_on", "file", "ids",
)  # fmt: skip
VALUES = ("", "\x00", "\ud83d", "9" * 30, "-1", "1e309", "NaN", "[]", "<b>", "0000-00-00", "99:99", "x" * 5000, "‮", "{{7*7}}")
ODD = ("TRACE", "CONNECT", "PROPFIND", "get", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "FOO")


@dataclass
class Course:
    """What came of all requests; none may take longer than `within` seconds."""

    within: float
    sent: int = 0
    slowest: float = 0.0
    problems: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def note(self, what: str, status: int, seconds: float) -> None:
        self.sent += 1
        self.statuses[status] += 1
        self.slowest = max(self.slowest, seconds)
        if status >= 500 or seconds > self.within:
            self.problems.append(f"{what[:120]!r}: {status} after {seconds:.1f} s")


def _path(rule: Rule, known: dict[str, str], bad: str | None = None) -> str:
    """The rule's address: with what is known, or with something bad in every place."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(2)
        if bad is not None:
            return bad
        return known.get(f"{rule.rule.split('/')[1]}/{name}", known.get(name, "1"))

    return re.sub(r"<(?:([^:<>]+):)?([^<>]+)>", fill, rule.rule)


def _form(turn: int) -> bytes:
    pairs = zip(FIELDS, itertools.islice(itertools.cycle(VALUES), turn % len(VALUES), None), strict=False)
    return "&".join(f"{name}={quote(value.encode('utf-8', 'surrogatepass'))}" for name, value in pairs).encode()


def _request(method: str, target: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    given = {"Host": "127.0.0.1", "Connection": "close"} | headers | ({"Content-Length": str(len(body))} if body else {})
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return head.encode("latin-1", "replace") + b"\r\n" + body


def _of_protocol(signed: dict[str, str]) -> Iterator[bytes]:
    """What is no proper HTTP, or at its edge."""
    yield from (
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\xff\xfe / HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    yield from (_request("GET", "/", {"X-Long": "a" * n}) for n in (8_000, 9_000, 60_000))
    yield _request("GET", "/", {f"X-{n}": "a" for n in range(200)})
    yield from (_request("GET", "/" + "a" * n, {}) for n in (2_000, 4_000, 9_000))
    yield from (_request(method, "/", signed) for method in ODD)
    for name, value in (
        ("Cookie", "consult=\xff\xfe; =; ;;"), ("Cookie", "consult=" + "A" * 3000), ("Accept-Language", "\xff" * 200),
        ("Accept-Language", "en;q=x,,;;"),
        ("Authorization", "Bearer \xff\xfe"), ("Authorization", "Basic !!!!"), ("Range", "bytes=9-1,-"), ("If-None-Match", '"' * 300),
        ("If-Modified-Since", "yesterday"), ("X-Forwarded-For", "\xff, ,"), ("Host", ""), ("Host", "a b"), ("Content-Type", "\xff/\xff"),
        ("Accept-Encoding", "gzip;q=x"), ("Content-Type", "text/html; charset=nothing"), ("HX-Request", "\xff"), ("Referer", "\xff"),
    ):  # fmt: skip
        yield _request("GET", "/", {name: value})
        yield _request("POST", "/sign-in", {name: value}, b"email=a")
    for length in ("-1", "x", "99999999999"):
        yield _request("POST", "/language", {**signed, "Content-Length": length, "Content-Type": "application/x-www-form-urlencoded"})
    chunked = {**signed, "Transfer-Encoding": "chunked", "Content-Type": "application/x-www-form-urlencoded"}
    yield from (_request("POST", "/language", chunked) + rest for rest in (b"zz\r\n\r\n", b"-1\r\n", b"0\r\n\r\n", b"ffffffffff\r\na"))


def _of_routes(app: Flask, known: dict[str, str], signed: dict[str, str]) -> Iterator[bytes]:
    form, octets = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
    for turn, rule in enumerate(sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))):
        if "stream" in rule.rule or rule.endpoint == "accounts.sign_out":  # the first has no end of its own, the second ends ours
            continue
        path, methods = _path(rule, known), rule.methods or set()
        if "<" in rule.rule:
            yield from (
                _request("GET" if "GET" in methods else "POST", _path(rule, known, BAD[n % len(BAD)]), signed) for n in (turn, turn + 3)
            )
        if "GET" in methods:
            yield _request("GET", f"{path}?{QUERY}", signed)
            yield _request("GET", f"{path}?page=%00", {**signed, "HX-Request": "true", "Accept": "application/json"})
        if "POST" in methods:
            yield _request("POST", path, {**signed, "Content-Type": form}, _form(turn))
            yield _request("POST", path, {**signed, "Content-Type": form}, b"%ff=%00&&&=&a[]=1;" + _form(turn + 7))
            yield _request(
                "POST",
                path,
                {**signed, "Content-Type": "application/json"},
                (b'{"a":', b"[" * 3000, b"\xff\xfe", b"null", b'"x"', b"[]", b"1e999")[turn % 7],
            )
            yield _request(
                "POST",
                path,
                {**signed, "Content-Type": octets},
                b'--x\r\nContent-Disposition: form-data; name="file"; filename="\x00"\r\n\r\n\xff',
            )
            yield _request("POST", path, {**signed, "Content-Type": "multipart/form-data"}, b"--x--")
            upload = b'--x\r\nContent-Disposition: form-data; name="file"; filename="../a.xlsx"\r\n\r\nPK\x03\x04\xff\r\n'
            yield _request(
                "POST",
                path,
                {**signed, "Content-Type": octets},
                upload + b'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n\xff\r\n--x--\r\n',
            )
            yield _request("POST", path, {**signed, "Content-Type": "text/plain"}, b"\x00" * 100)
        yield _request(ODD[turn % len(ODD)], path, signed)


def _send(port: int, request: bytes) -> int:
    """The status of the answer; 0 where the server closed the connection without one, as it may to what is no HTTP."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        while part := line.recv(65536):
            answer += part
        if found := re.match(rb"HTTP/1\.[01] (\d{3})", answer):
            return int(found.group(1))
    return 0


def _fixed(app: Flask, cookie: str, known: dict[str, str], course: Course, every: int) -> None:
    """Every so-manieth request of the list, to a server of its own."""
    environment = {
        "CONSULT_VAR": str(app.config["VAR"]), "DATABASE_URL": app.config["DATABASE_URL"], "CONSULT_SECRET_KEY": app.config["SECRET_KEY"],
        "CONSULT_TOKEN_KEY": app.config["TOKEN_KEY"],
    }  # fmt: skip
    with server("wsgi:app", environment) as port:
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Cookie": cookie})
        page = urllib.request.urlopen(asked).read().decode()
        token = re.search(r'name="csrf-token" content="([^"]+)"', page)
        assert token, "the organiser is not signed in"
        signed = {"Cookie": cookie, "X-CSRFToken": token.group(1)}
        requests = [*_of_protocol(signed), *_of_routes(app, known, signed)]
        for request in requests[::every]:
            started = time.monotonic()
            status = _send(port, request)
            course.note(request.split(b"\r\n")[0].decode("latin-1"), status, time.monotonic() - started)


def _made_up(app: Flask, client: Any, known: dict[str, str], token: str, course: Course, examples: int) -> None:
    """What Hypothesis makes up for every route, and schemathesis for the described API; an exception is an answer of 500."""
    how = settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    rules = [
        rule for rule in app.url_map.iter_rules() if "stream" not in rule.rule and rule.endpoint not in ("static", "accounts.sign_out")
    ]
    words = some.text(max_size=40)
    forms = some.dictionaries(some.sampled_from(FIELDS) | words, words | some.sampled_from(VALUES[:2] + VALUES[3:]), max_size=6)

    def note(what: str, ask: Any) -> None:
        started = time.monotonic()
        try:
            status = contextvars.Context().run(ask).status_code
        except Exception as problem:
            status, what = 500, f"{what}: {type(problem).__name__}: {problem}"
            db.session.rollback()
        course.note(what, status, time.monotonic() - started)

    @how
    @given(
        rule=some.sampled_from(rules),
        is_known=some.booleans(),
        bad=words,
        given_form=forms,
        query=forms,
        body=some.none() | some.binary(max_size=60),
    )
    def ask(rule: Rule, is_known: bool, bad: str, given_form: dict[str, str], query: dict[str, str], body: bytes | None) -> None:
        path = _path(rule, known, None if is_known else quote(bad or "x"))
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        sent: dict[str, Any] = {"data": given_form} if body is None else {"data": body, "content_type": "application/json"}
        if method == "GET":
            sent = {}
        note(f"{method} {path} {given_form}", lambda: client.open(path, method=method, query_string=query, **sent))

    ask()
    operations = list(schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app).get_all_operations())
    each = settings(how, max_examples=max(1, examples // (4 * len(operations))))
    for found in operations:
        operation = found.ok()

        @each
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            note(f"{case.method} {case.path}", lambda: case.call(headers={"Authorization": f"Bearer {token}"}))

        call()


def malformed(*, every: int, examples: int, within: float = 2.0) -> Finding:
    """Every so-manieth of the fixed list, and so many made-up ones by Hypothesis with a quarter as many again by schemathesis.

    `within`: seconds that each may take.
    """
    fixed, made_up = Course(within), Course(within)
    with site() as (app, client, event):
        known = _known(event)
        token = create_token(event, "Desk", by=factories.BY)[1]
        db.session.commit()
        cookie = client.get_cookie("consult")
        assert cookie
        db.session.remove()
        _fixed(app, f"consult={cookie.value}", known, fixed, every)
        _made_up(app, client, known, token, made_up, examples)
    problems = fixed.problems + made_up.problems
    kinds = Counter(status // 100 for status in (fixed.statuses + made_up.statuses).elements())
    figure = (
        f"{fixed.sent:,} fixed and {made_up.sent:,} made up: {kinds[5]} times 5xx, the slowest {max(fixed.slowest, made_up.slowest):.2f} s "
        f"({kinds[2]:,} times 2xx, {kinds[3]:,} 3xx, {kinds[4]:,} 4xx, {kinds[0]} closed)"
    )
    return Finding(figure + (f"; {problems[:3]}" if problems else ""), not problems)


def _known(event: Event) -> dict[str, str]:
    """What stands for the names in addresses: `consultations/slug` before `slug`."""
    person = factories.make_registration(event)
    consultation = event.consultation
    return {
        "consultations/slug": consultation.slug, "slug": event.slug, "code": "1.1", "number": "1", "public_id": person.public_id,
        "filename": "x.css", "kind": "csv",
    }  # fmt: skip
