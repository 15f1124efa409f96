"""The log: append-only, hash-chained, one chain per consultation and one for the site (product.md rule 20).

An entry's hash covers the entry before it, its facts, and a salted commitment to the state of the row it speaks of.
The salt and the state themselves stand beside the chain, so that a person's data can be erased without breaking it.
`verify()` walks every chain and then compares every logged row with the last state that was committed to: a changed
column, a deleted row, a removed or rewritten entry is found and named.
"""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, current_app
from sqlalchemy import Table, UniqueConstraint, bindparam, event, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from .db import Base, Model, db, now
from .policy import Actor

SITE = "site"
START = "0" * 64
FORGETTING = (".erase", ".expire")  # actions after which earlier states of the same row may be gone


class AuditEntry(Model):
    """One entry. Never updated, but for `salt` and `state`, which an erasure sets to NULL."""

    __tablename__ = "audit_entries"
    __table_args__ = (UniqueConstraint("chain", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[str]
    number: Mapped[int]
    at: Mapped[dt.datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(default="")
    commitment: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str] = mapped_column(unique=True)
    salt: Mapped[str | None]
    state: Mapped[str | None]


class AuditHead(Model):
    """The end of each chain; locked while an entry is added, so that numbers have no gap and no fork."""

    __tablename__ = "audit_heads"

    chain: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    hash: Mapped[str]


ENTRIES, HEADS = cast(Table, AuditEntry.__table__), cast(Table, AuditHead.__table__)


class Audited:
    """Mixin for rows that decide something: every column counts, but for those named in `audit_leaves_out`."""

    audit_leaves_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fault:
    """Something in the log, or in a row it covers, that is not as it was recorded."""

    chain: str
    number: int
    what: str


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    return value


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spare space: the same value always gives the same bytes."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def sha256(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def row_state(row: Any) -> str:
    """The canonical JSON of every audited column of a row."""
    left_out = row.audit_leaves_out
    return canonical({c.key: _plain(getattr(row, c.key)) for c in row.__mapper__.column_attrs if c.key not in left_out})


HASHED = ("chain", "number", "at", "actor", "action", "object_type", "object_id", "note", "commitment", "previous")


def _entry_hash(entry: Mapping[str, Any]) -> str:
    """Of what is chained; the state stands beside it."""
    return sha256(canonical([_plain(entry[name]) for name in HASHED]))


_HEAD = select(HEADS.c.number, HEADS.c.hash).where(HEADS.c.chain == bindparam("of")).with_for_update()
_MOVE = update(HEADS).where(HEADS.c.chain == bindparam("of")).values(number=bindparam("to_number"), hash=bindparam("to_hash"))
_ADD = ENTRIES.insert()
# on PostgreSQL one way to the server and back instead of two
_ADD_AND_MOVE = (
    ENTRIES.insert().values({c: bindparam(f"new_{c.name}") for c in ENTRIES.columns if c.name != "id"}).add_cte(_MOVE.cte("moved"))
)


def _lock_head(chain: str) -> tuple[int, str]:
    """The number and hash of the chain's last entry, locked until the transaction ends. A chain begins here."""
    known: dict[str, tuple[int, str]] = db.session.info.setdefault("heads", {})
    if chain in known:
        return known[chain]
    known[chain] = _read_head(chain)
    return known[chain]


def on_commit(app: Flask, tell: Callable[[str, int], None]) -> None:
    """Call `tell` with a chain and the number of its last entry, whenever entries of it have been committed."""
    app.extensions.setdefault("audit_listeners", []).append(tell)


@event.listens_for(Session, "after_commit")
def _tell_recorded(session: Session) -> None:
    if session.in_nested_transaction():
        return  # a savepoint: nothing is durable yet
    recorded = session.info.pop("recorded", {})
    for tell in current_app.extensions.get("audit_listeners", []) if recorded and current_app else []:
        for chain, number in recorded.items():
            tell(chain, number)


@event.listens_for(Session, "after_soft_rollback")
def _forget_recorded(session: Session, _transaction: Any) -> None:
    """What was taken back is told to nobody; after a savepoint's rollback, listeners find by themselves what still stands."""
    session.info.pop("recorded", None)


def last_number(chain: str) -> int:
    """The number of the last entry of a chain, without locking it."""
    return db.session.scalar(select(AuditHead.number).where(AuditHead.chain == chain)) or 0


@event.listens_for(Session, "after_transaction_end")
def _forget_heads(session: Session, _transaction: Any) -> None:
    """What was locked and read is true only inside its transaction."""
    session.info.pop("heads", None)


def _read_head(chain: str) -> tuple[int, str]:
    connection = db.session.connection()
    head = connection.execute(_HEAD, {"of": chain}).first()
    if head is None:
        if db.engine.dialect.name == "postgresql":
            # two first entries at once: the second waits here for the first, then finds its head
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:chain))"), {"chain": chain})
            head = connection.execute(_HEAD, {"of": chain}).first()
        if head is None:
            connection.execute(HEADS.insert(), {"chain": chain, "number": 0, "hash": START})
            return 0, START
    return head.number, head.hash


def lock(consultation_id: int) -> None:
    """Let whatever else is recorded in this consultation wait until this transaction ends; then what is read here is the latest."""
    if db.engine.dialect.name == "postgresql":  # a transaction that writes to SQLite is alone anyway
        _lock_head(str(consultation_id))


def record(actor: Actor, action: str, row: Any, note: str = "") -> dict[str, Any]:
    """Append an entry about `row` as it now stands, by `actor`, inside the caller's transaction.

    `row` is an `Audited` model with a `public_id`; its `consultation_id`, if it has one, chooses the chain. `note` is a
    short fact without personal data. The caller commits. Returns the columns of the entry.
    """
    db.session.flush()  # the row's defaults and keys are part of its state
    consultation = getattr(row, "consultation_id", None)
    chain = str(consultation) if consultation else SITE
    number, previous = _lock_head(chain)
    salt, state = secrets.token_hex(16), row_state(row)
    entry = {
        "chain": chain,
        "number": number + 1,
        "at": now(),
        "actor": actor.actor_key,
        "action": action,
        "object_type": type(row).__name__,
        "object_id": str(row.public_id),
        "note": note,
        "commitment": sha256(salt + state),
        "previous": previous,
        "salt": salt,
        "state": state,
    }
    entry["hash"] = _entry_hash(entry)
    # plain statements: an entry is written with every deed, and the session's unit of work would take most of its time
    connection = db.session.connection()
    end = {"of": chain, "to_number": entry["number"], "to_hash": entry["hash"]}
    if db.engine.dialect.name == "postgresql":
        connection.execute(_ADD_AND_MOVE, {f"new_{name}": value for name, value in entry.items()} | end)
    else:
        connection.execute(_ADD, entry)
        connection.execute(_MOVE, end)
    db.session.info["heads"][chain] = (entry["number"], entry["hash"])
    db.session.info.setdefault("recorded", {})[chain] = entry["number"]
    return entry


def forget(actor: Actor, action: str, row: Any, note: str = "") -> None:
    """Append an entry about a row that was just emptied of personal data, and drop what earlier entries kept of it.

    The chain hashes commitments, not states, so it stands as before. `action` ends in one of `FORGETTING`: without such an
    entry after it, an entry whose state is gone is a fault. The caller commits.
    """
    assert action.endswith(FORGETTING), action
    entry = record(actor, action, row, note)
    of_row = (AuditEntry.object_type == entry["object_type"], AuditEntry.object_id == entry["object_id"])
    before = AuditEntry.hash != entry["hash"]
    db.session.execute(update(AuditEntry).where(*of_row, before).values(salt=None, state=None))


def _chain_faults(head: AuditHead) -> Iterator[Fault]:
    previous, expected = START, 1
    bare: dict[tuple[str, str], int] = {}  # objects with an entry whose state is gone, and no erasure recorded since
    rows = db.session.scalars(
        select(AuditEntry).where(AuditEntry.chain == head.chain).order_by(AuditEntry.number).execution_options(yield_per=2000)
    )
    for entry in rows:
        if entry.number != expected or entry.previous != previous:
            yield Fault(head.chain, expected, "an entry was removed or rewritten before this one")
            return
        if _entry_hash({name: getattr(entry, name) for name in HASHED}) != entry.hash:
            yield Fault(head.chain, entry.number, f"the entry itself was changed ({entry.action})")
            return
        thing = (entry.object_type, entry.object_id)
        if entry.salt is None:
            bare.setdefault(thing, entry.number)
        elif entry.action.endswith(FORGETTING):
            bare.pop(thing, None)
        if entry.salt is not None and sha256(entry.salt + (entry.state or "")) != entry.commitment:
            yield Fault(head.chain, entry.number, f"the recorded state was changed ({entry.object_type} {entry.object_id})")
        previous, expected = entry.hash, expected + 1
    for (kind, public_id), number in bare.items():
        yield Fault(head.chain, number, f"the recorded state is gone, and no erasure says why ({kind} {public_id})")
    if (expected - 1, previous) != (head.number, head.hash):
        yield Fault(head.chain, expected, "entries are missing at the end")


def audited_models() -> dict[str, Any]:
    """Every model that the log covers, by name."""
    return {m.class_.__name__: m.class_ for m in Base.registry.mappers if issubclass(m.class_, Audited)} | {
        m.class_.__name__: m.class_ for m in Model.registry.mappers if issubclass(m.class_, Audited)
    }


def _last_states() -> dict[tuple[str, str], AuditEntry]:
    """The newest entry of every object."""
    newest: dict[tuple[str, str], AuditEntry] = {}
    for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.chain, AuditEntry.number)):
        newest[entry.object_type, entry.object_id] = entry
    return newest


def _row_faults() -> Iterator[Fault]:
    last = _last_states()
    for name, model in sorted(audited_models().items()):
        for row in db.session.scalars(select(model).execution_options(yield_per=2000)):
            entry = last.pop((name, str(row.public_id)), None)
            if entry is None:
                yield Fault("?", 0, f"{name} {row.public_id} stands in the database but was never recorded")
            elif entry.salt is not None and entry.state != row_state(row) and (changed := _difference(entry, row)):
                yield Fault(entry.chain, entry.number, f"{name} {row.public_id} is not as it was recorded: {changed}")
    for (name, public_id), entry in last.items():
        if entry.salt is not None and not entry.action.endswith(".delete"):
            yield Fault(entry.chain, entry.number, f"{name} {public_id} was deleted")


def _difference(entry: AuditEntry, row: Any) -> str:
    """The columns that differ. One that was added to the table since has to stand at its default."""
    before, after = json.loads(entry.state or "{}"), json.loads(row_state(row))
    for column in row.__mapper__.column_attrs:
        default = column.columns[0].default
        if column.key not in before:
            before[column.key] = default.arg(None) if default is not None and default.is_callable else _plain(default and default.arg)
    return ", ".join(sorted(key for key in after if before.get(key) != after.get(key)))


def verify() -> tuple[int, list[Fault]]:
    """Check every chain and every logged row; return the number of entries and the faults, worst place first."""
    db.session.expire_all()
    faults: list[Fault] = []
    heads = list(db.session.scalars(select(AuditHead).order_by(AuditHead.chain)))
    for head in heads:
        faults.extend(_chain_faults(head))
    known = {head.chain for head in heads}
    for chain in db.session.scalars(select(AuditEntry.chain).distinct()):
        if chain not in known:
            faults.append(Fault(chain, 0, "the chain's head is missing"))
    faults.extend(_row_faults())
    return sum(head.number for head in heads), faults
