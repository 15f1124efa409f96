"""News between processes that share one database: Redis publish/subscribe, or PostgreSQL's LISTEN and NOTIFY (`CONSULT_NEWS`).

What is carried is a hint, "chain 12 is at entry 345": whoever hears it looks at the database, which has the last word. Two
threads do it (greenlets under gevent), begun when there is something to send or somebody to wait. Nobody's request waits for
them: what cannot be sent is sent when the line is back, and while it is broken the hub looks every two seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Protocol

import psycopg
import redis
import structlog
from flask import Flask
from redis.backoff import NoBackoff
from redis.retry import Retry

from consult_app.room.hub import Hub

log = structlog.get_logger()
CHANNEL = "consult_news"
CALM = 1.0  # seconds before a broken line is tried again
ALIVE = 3.0  # seconds after which a silent line is asked whether it is there, and then has to answer


class Line(Protocol):
    """One way to carry words to all processes. Whatever it raises means that it is broken; it is then made anew."""

    def send(self, words: str) -> None: ...

    def hear(self) -> Iterator[str]:
        """An empty string once it listens, then what comes; an empty string also where nothing has come for a while."""


class RedisLine:
    def __init__(self, url: str) -> None:
        # its own retries would hide from us that the line is broken
        self.client = redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=ALIVE, retry=Retry(NoBackoff(), 0))

    def send(self, words: str) -> None:
        self.client.publish(CHANNEL, words)

    def hear(self) -> Iterator[str]:
        silent = 0
        with self.client.pubsub() as heard:  # type: ignore[no-untyped-call]
            heard.subscribe(CHANNEL)
            while True:
                message = heard.get_message(timeout=ALIVE)
                silent = 0 if message else silent + 1
                if silent > 1:
                    raise TimeoutError("no answer")
                if message is None:
                    heard.ping()
                elif message["type"] in ("subscribe", "pong"):
                    yield ""
                else:
                    yield message["data"].decode("ascii", "replace")


class PostgresLine:
    def __init__(self, url: str) -> None:
        self.url = url
        self.sender: psycopg.Connection | None = None

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=True, connect_timeout=2)

    def send(self, words: str) -> None:
        try:
            self.sender = self.sender or self._connect()
            self.sender.execute("SELECT pg_notify(%s, %s)", (CHANNEL, words))
        except BaseException:
            self.sender = None
            raise

    def hear(self) -> Iterator[str]:
        with self._connect() as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            while True:
                yield ""
                for message in connection.notifies(timeout=ALIVE):
                    yield message.payload
                connection.execute("SELECT 1")


class Bus:
    """Tells the other processes what was committed here, and the hub what was committed there."""

    def __init__(self, hub: Hub, make: Callable[[], Line]) -> None:
        self.hub = hub
        self.make = make
        self._unsent: dict[str, int] = {}
        self._news = threading.Condition()
        self._running: set[str] = set()

    def tell(self, chain: str, number: int) -> None:
        """An entry was committed here."""
        with self._news:
            self._unsent[chain] = max(number, self._unsent.get(chain, 0))
            self._news.notify()
        self._run("send", self._send)

    def listen(self) -> None:
        """Somebody waits here for what is committed elsewhere."""
        self._run("hear", self._hear)

    def _run(self, name: str, forever: Callable[[Line], None]) -> None:
        with self._news:
            if name in self._running:
                return
            self._running.add(name)
        threading.Thread(target=self._on_and_on, args=(name, forever), name=f"news-{name}", daemon=True).start()

    def _on_and_on(self, name: str, forever: Callable[[Line], None]) -> None:
        while True:
            try:
                forever(self.make())
            except Exception as problem:  # whatever the client raises when its server goes away
                if name == "hear":
                    self.hub.is_told = False
                log.warning("news line broken", way=name, problem=str(problem))
                time.sleep(CALM)

    def _send(self, line: Line) -> None:
        while True:
            with self._news:
                while not self._unsent:
                    self._news.wait()
                latest = dict(self._unsent)
            for chain, number in latest.items():
                line.send(f"{chain} {number}")
            with self._news:
                for chain, number in latest.items():
                    if self._unsent.get(chain) == number:
                        del self._unsent[chain]

    def _hear(self, line: Line) -> None:
        for words in line.hear():
            self.hub.is_told = True
            chain, _space, number = words.partition(" ")
            if number.isascii() and number.isdigit():
                self.hub.hint(chain, int(number))


def connect(app: Flask, hub: Hub) -> Bus | None:
    """The bus that the settings name; None where there is one process alone."""
    wanted: str = app.config["NEWS"]
    if not wanted:
        return None
    if wanted.startswith(("redis://", "rediss://", "unix://")):
        return Bus(hub, lambda: RedisLine(wanted))
    url: str = app.config["SQLALCHEMY_DATABASE_URI"]
    if wanted != "postgresql" or not url.startswith("postgresql"):
        raise RuntimeError("CONSULT_NEWS is redis://…, or “postgresql” where DATABASE_URL names one, or empty")
    return Bus(hub, lambda: PostgresLine("postgresql" + url[url.index("://") :]))
