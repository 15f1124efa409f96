"""The floor of a page: a bare Flask view that renders the same bytes from the same rows.

It reads what the page reads, by the page's own statements as plain SQL, and renders a template of the page's bytes in which
every text between two tags is an expression, escaped. There is no session, no policy, no object, no translation, no macro.
"""

from __future__ import annotations

import contextlib
import re
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from jinja2 import Environment
from markupsafe import Markup
from sqlalchemy import create_engine, event

from benchmarks.site import tell, timed
from consult_app.db import db

TEXT = re.compile(r"(?<=>)([^<>]+)(?=<)")


@contextlib.contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """The statements of the block, with what they are given."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SET")):
            seen.append((statement, given))

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def bare_view(client: Any, path: str, **how: Any) -> tuple[Any, int]:
    """A client of the floor of a page, as this client sees it, and how many statements it asks."""
    client.get(path, **how)  # templates and statements are compiled once
    client.application.extensions["figures"].clear()  # a bare view has no memory: it counts whenever it is asked
    with statements() as seen:
        page = client.get(path, **how)
    assert page.status_code == 200, page.status
    engine, texts = create_engine(db.engine.url), [Markup(words).unescape() for words in TEXT.findall(page.text)]
    numbers = iter(range(len(texts)))
    source = TEXT.sub(lambda _match: f"\0{next(numbers)}\0", page.text)
    parts = [f"{{% raw %}}{part}{{% endraw %}}" if n % 2 == 0 else f"{{{{ texts[{part}] }}}}" for n, part in enumerate(source.split("\0"))]
    template = Environment(autoescape=True, keep_trailing_newline=True).from_string("".join(parts))
    bare = Flask("floor")

    @bare.get("/")
    def show() -> str:
        with engine.connect() as connection:
            for statement, given in seen:
                connection.exec_driver_sql(statement, given).all()
        return template.render(texts=texts)

    floor = bare.test_client()
    assert re.sub(r"&\S+?;|['\"]", "", floor.get("/").text) == re.sub(r"&\S+?;|['\"]", "", page.text)  # entities may be written otherwise
    return floor, len(seen)


def pairs(name: str, unit: str, ours: Callable[[], Any], bare: Callable[[], Any], times: int, n: int | None = None) -> float:
    """Both in turn, so that what else the machine does falls on both; tells the medians and returns ours, in milliseconds."""
    ours(), bare()  # templates and statements are compiled once
    taken = [(timed(ours) * 1000, timed(bare) * 1000) for _round in range(times)]
    first, second = (sorted(column) for column in zip(*taken, strict=True))
    tell(name, statistics.median(first), unit, statistics.median(second), n or times, first[-1] - first[0])
    return statistics.median(first)
