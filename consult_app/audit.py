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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

import orjson
from flask import Flask, current_app
from sqlalchemy import ColumnElement, Row, Select, Table, UniqueConstraint, bindparam, event, func, or_, select, text, update
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Mapped, Session, mapped_column

from .db import Base, Model, db, is_alone, now
from .errors import Conflict
from .i18n import _
from .policy import Actor

Params = ParamSpec("Params")
Result = TypeVar("Result")

SITE = "site"
START = "0" * 64
DELETING = ".delete"  # how the action ends after which a row is gone
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
    hash: Mapped[str]
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
    """Mixin for rows that decide something: every column counts, but for those named in `audit_leaves_out`.

    Of the columns in `audit_hashes`, which are secrets, a salted hash is recorded. `audit_later` names columns that the log covers since
    the table is in use: an entry may lack them, as it may lack the secrets, and says nothing of them then (`record_uncovered`).
    """

    audit_leaves_out: frozenset[str] = frozenset()
    audit_hashes: frozenset[str] = frozenset()
    audit_later: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Fault:
    """Something in the log, or in a row it covers, that is not as it was recorded."""

    chain: str
    number: int
    what: str


_IS_PLAIN = frozenset({str, int, bool, float, type(None)})  # the very types: an enum is a subclass of its values' type


def _plain(value: Any) -> Any:
    if value.__class__ in _IS_PLAIN:
        return value
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, bytes):  # no column of ours holds them: somebody wrote past us
        return value.hex()
    return value


_ENCODE = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spare space: the same value always gives the same bytes."""
    return _ENCODE(value)


def sha256(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _is_hash_of(digest: str, salt: str, value: Any) -> bool:
    """Whether a value's canonical JSON has this hash. Asked of every entry and row of a log, so it is tried the quick way first.

    orjson writes nearly always the same bytes, in a tenth of the time; where they differ (a moment without microseconds, a float, a
    lone surrogate) the canonical ones decide.
    """
    try:
        if hashlib.sha256(f"{salt}".encode() + orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest() == digest:
            return True
    except TypeError:  # a lone surrogate, a number beyond 64 bits
        pass
    plain = {key: _plain(one) for key, one in value.items()} if isinstance(value, dict) else [_plain(one) for one in value]
    return sha256(f"{salt}{canonical(plain)}") == digest


@cache
def audited_keys(model: Any) -> tuple[str, ...]:
    """The names of the columns that the log covers."""
    return tuple(c.key for c in model.__mapper__.column_attrs if c.key not in model.audit_leaves_out)


def _hidden(value: Any, salt: str) -> str | None:
    """What is recorded of a secret: whoever reads the log learns whether there is one, and can try no guess without the salt."""
    return None if value is None else sha256(salt + canonical(_plain(value)))


def row_state(row: Any, salt: str) -> dict[str, Any]:
    """Every audited column of a row, as it is recorded with this salt."""
    loaded = row.__dict__  # read past the attributes, which cost five times as much, where it is loaded
    plain = {key: _plain(loaded[key] if key in loaded else getattr(row, key)) for key in audited_keys(row.__class__)}
    for key in row.audit_hashes:
        plain[key] = _hidden(plain[key], salt)
    return plain


# what is chained of an entry; its salt and state stand beside it
HASHED = ("chain", "number", "at", "actor", "action", "object_type", "object_id", "note", "commitment", "previous")


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
def _forget_heads(session: Session, transaction: Any) -> None:
    """What was locked and read is true only inside its transaction."""
    session.info.pop("heads", None)
    if transaction.parent is None:  # a lock is kept past the end of a savepoint
        session.info.pop("turns", None)


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


def lock(consultation_id: int) -> str:
    """Let whatever else is recorded in this consultation wait until this transaction ends; then what is read here is the latest.

    Returns the hash at the end of its log, which stands for all that was recorded: while it is the same, nothing has changed.
    """
    return _lock_head(str(consultation_id))[1]  # a transaction that writes to SQLite is alone anyway


def take_turn(consultation_id: int | None, *rows: Any) -> None:
    """Lock, then read again: what an action does first, before it decides on a state (rule 30).

    Others who change this consultation (or with None, accounts) wait from here until this transaction ends. Everything that was
    read before is read again when it is used next. Raises Conflict where one of `rows` was removed meanwhile.
    Whoever needs both takes the turn of the consultation first, then that of the accounts.
    """
    chain, session = str(consultation_id) if consultation_id else SITE, db.session()
    turns: set[str] = session.info.setdefault("turns", set())
    if chain in turns:
        return
    _lock_head(chain)
    turns.add(chain)
    if is_alone():
        return
    session.flush()
    session.expire_all()
    for row in rows:
        if "_sa_instance_state" not in vars(row):  # a copy, see `db.copy_of`
            continue
        try:
            session.refresh(row)
        except InvalidRequestError as gone:
            raise Conflict(_("This was removed meanwhile.")) from gone


def in_turn(action: Callable[Params, Result]) -> Callable[Params, Result]:
    """Let an action `take_turn` in the consultation of its first argument, which is a row."""

    @wraps(action)
    def taking_turn(*args: Params.args, **kwargs: Params.kwargs) -> Result:
        row: Any = args[0]
        take_turn(getattr(row, "consultation_id", None), row)
        return action(*args, **kwargs)

    return taking_turn


def locking(query: Select[Any]) -> Select[Any]:
    """The query, made to lock the end of a log too and to tell it: for `read_locked`."""
    seen = HEADS.alias("seen")
    end_as_seen = select(seen.c.hash).where(seen.c.chain == bindparam("chain")).scalar_subquery()
    return (
        query.join(HEADS, HEADS.c.chain == bindparam("chain"))
        .add_columns(HEADS.c.number.label("end_number"), HEADS.c.hash.label("end_hash"), end_as_seen.label("end_as_seen"))
        .with_for_update(of=HEADS)
    )


def read_locked(consultation_id: int, query: Select[Any], values: dict[str, Any]) -> tuple[str, Sequence[Row[Any]]]:
    """As `lock`, and then what a query finds that `locking` made; in one statement, unless the lock had to be waited for.

    PostgreSQL reads first and locks then: what it read is the latest if the end of the log that it read is the one that it locked.
    """
    chain, values = str(consultation_id), {**values, "chain": str(consultation_id)}
    session = db.session()
    known: dict[str, tuple[int, str]] = session.info.setdefault("heads", {})
    connection = session.connection()
    rows = connection.execute(query, values).all()
    if chain in known:  # locked before
        return known[chain][1], rows
    if rows and rows[0].end_hash == rows[0].end_as_seen:
        known[chain] = (rows[0].end_number, rows[0].end_hash)
        return rows[0].end_hash, rows
    return lock(consultation_id), connection.execute(query, values).all()


def record(actor: Actor, action: str, row: Any, note: str = "") -> dict[str, Any]:
    """Append an entry about `row` as it now stands, by `actor`, inside the caller's transaction.

    `row` is an `Audited` model with a `public_id`; its `consultation_id`, if it has one, chooses the chain. `note` is a
    short fact without personal data. The caller commits. Returns the columns of the entry.
    """
    session = db.session()
    session.flush()  # the row's defaults and keys are part of its state
    entry = _next_entry(session, actor, action, row, note)
    # plain statements: an entry is written with every deed, and the session's unit of work would take most of its time
    connection = session.connection()
    if db.engine.dialect.name == "postgresql":
        connection.execute(_ADD_AND_MOVE, {f"new_{name}": value for name, value in entry.items()} | _end(entry))
    else:
        connection.execute(_ADD, entry)
        connection.execute(_MOVE, _end(entry))
    return entry


def record_all(deeds: Sequence[tuple[Actor, str, Any]]) -> None:
    """As `record`, for several deeds of one consultation in their order: who, the action, the row."""
    if len(deeds) == 1:
        record(*deeds[0])
        return
    session = db.session()
    session.flush()
    entries = [_next_entry(session, actor, action, row) for actor, action, row in deeds]
    assert len({entry["chain"] for entry in entries}) == 1
    connection = session.connection()
    connection.execute(_ADD, entries)
    connection.execute(_MOVE, _end(entries[-1]))


def _next_entry(session: Session, actor: Actor, action: str, row: Any, note: str = "") -> dict[str, Any]:
    """The columns of a chain's next entry, which is its last one from now on."""
    consultation = getattr(row, "consultation_id", None)
    chain = str(consultation) if consultation else SITE
    number, previous = _lock_head(chain)
    salt = secrets.token_hex(16)
    state = canonical(row_state(row, salt))
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
    entry["hash"] = sha256(canonical([_plain(entry[name]) for name in HASHED]))
    session.info["heads"][chain] = (entry["number"], entry["hash"])
    session.info.setdefault("recorded", {})[chain] = entry["number"]
    return entry


def _end(entry: dict[str, Any]) -> dict[str, Any]:
    """What makes an entry the last of its chain."""
    return {"of": entry["chain"], "to_number": entry["number"], "to_hash": entry["hash"]}


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


def record_uncovered(actor: Actor) -> int:
    """Record anew the rows of which the newest entry lacks a column that the log covers since; return how many. The caller commits.

    A row that is not as that entry says stays as it is, for `verify()` to name.
    """
    db.session.expire_all()
    done = 0
    for name, model in sorted(audited_models().items()):
        later = model.audit_hashes | model.audit_later
        newest = select(func.max(AuditEntry.id)).where(AuditEntry.object_type == name).group_by(AuditEntry.object_id)
        lacks = or_(*(AuditEntry.state.not_like(f'%"{key}":%') for key in later))
        for entry in db.session.scalars(select(AuditEntry).where(AuditEntry.id.in_(newest), lacks)).all() if later else ():
            row = db.session.scalar(select(model).where(model.public_id == entry.object_id))
            state = row_state(row, f"{entry.salt}") if row is not None else {}
            if state and all(state.get(key) == value for key, value in json.loads(f"{entry.state}").items()):
                record(actor, f"{model.__tablename__}.cover", row)
                done += 1
    return done


class _Newest(NamedTuple):
    """The newest entry of an object: enough to check the row it speaks of."""

    chain: str
    number: int
    action: str
    salt: str | None
    commitment: str


UNREADABLE = (ValueError, LookupError, TypeError)  # what a column's type raises for a value that it cannot be


def _each(query: Select[Any], key: ColumnElement[Any]) -> Iterator[tuple[Any, Any]]:
    """The rows of a query in the order of `key`, each with its key; None instead of a row in which a value cannot be read."""
    connection, done = db.session.connection(), 0
    try:
        for row in connection.execute(query.add_columns(key).order_by(key).execution_options(yield_per=2000)):
            yield row[-1], row[:-1]
            done += 1
        return
    except UNREADABLE:  # from here on one by one
        keys = connection.scalars(query.with_only_columns(key).order_by(key)).all()[done:]
    for one in keys:
        try:
            yield one, connection.execute(query.where(key == one)).one()
        except UNREADABLE:
            yield one, None


def _chain_faults(chain: str, head: tuple[int, str], newest: dict[tuple[str, str], _Newest]) -> Iterator[Fault]:
    """What is wrong in one chain up to the first entry that does not fit; notes the newest entry of every object on the way."""
    previous, expected, is_broken = START, 1, False
    bare: dict[tuple[str, str], int] = {}  # objects with an entry whose state is gone, and no erasure recorded since
    columns = (*(ENTRIES.c[name] for name in HASHED), ENTRIES.c.hash, ENTRIES.c.salt, ENTRIES.c.state)
    for place, row in _each(select(*columns).where(ENTRIES.c.chain == chain), ENTRIES.c.number):
        if row is None:
            if not is_broken:
                yield Fault(chain, place, "the entry itself was changed (it cannot be read)")
            is_broken = True
            continue
        _chain, number, _at, _actor, action, kind, public_id, _note, commitment, before, digest, salt, state = row
        thing = (kind, public_id)
        newest[thing] = _Newest(chain, number, action, salt, commitment)
        if is_broken:
            continue  # what follows hangs on nothing; it still says what was recorded last of each row
        if number != expected or before != previous:
            yield Fault(chain, expected, "an entry was removed or rewritten before this one")
            is_broken = True
        elif not _is_hash_of(digest, "", row[: len(HASHED)]):
            yield Fault(chain, number, f"the entry itself was changed ({action})")
            is_broken = True
        if salt is None:
            bare.setdefault(thing, number)
        elif sha256(f"{salt}{state or ''}") != commitment:
            yield Fault(chain, number, f"the recorded state was changed ({kind} {public_id})")
        if salt is not None and f"{action}".endswith(FORGETTING):
            bare.pop(thing, None)
        previous, expected = digest, expected + 1
    if is_broken:
        return
    for (kind, public_id), number in bare.items():
        yield Fault(chain, number, f"the recorded state is gone, and no erasure says why ({kind} {public_id})")
    if (expected - 1, previous) != head:
        yield Fault(chain, expected, "entries are missing at the end")


def audited_models() -> dict[str, Any]:
    """Every model that the log covers, by name."""
    return {m.class_.__name__: m.class_ for m in Base.registry.mappers if issubclass(m.class_, Audited)} | {
        m.class_.__name__: m.class_ for m in Model.registry.mappers if issubclass(m.class_, Audited)
    }


def _row_faults(last: dict[tuple[str, str], _Newest]) -> Iterator[Fault]:
    """Rows that are not as their newest entry says, were never recorded, or are gone."""
    for name, model in sorted(audited_models().items()):
        keys = audited_keys(model)
        # columns and not rows of the session: nothing but their state is asked for
        columns = model.__mapper__.columns
        for row_id, row in _each(select(columns["public_id"], *(columns[key] for key in keys)), columns["id"]):
            public_id = row[0] if row is not None else db.session.scalar(select(columns["public_id"]).where(columns["id"] == row_id))
            entry = last.pop((name, f"{public_id}"), None)
            if entry is None:
                yield Fault("?", 0, f"{name} {public_id} stands in the database but was never recorded")
                continue
            if f"{entry.action}".endswith(DELETING):
                back = f"{name} {public_id} was deleted, and stands in the database again"
                yield Fault(entry.chain, entry.number, back)
                continue
            if row is None:
                bad = ", ".join(key for key in sorted(keys) if not _is_readable(columns[key], columns["id"] == row_id))
                yield Fault(entry.chain, entry.number, f"{name} {public_id} is not as it was recorded: {bad}")
                continue
            state = dict(zip(keys, row[1:], strict=True))
            for key in model.audit_hashes:
                state[key] = _hidden(state[key], f"{entry.salt}")
            if entry.salt is not None and not _is_hash_of(entry.commitment, entry.salt, state):
                after = json.loads(canonical({key: _plain(value) for key, value in state.items()}))
                if changed := _difference(entry, model, after):
                    yield Fault(entry.chain, entry.number, f"{name} {public_id} is not as it was recorded: {changed}")
    for (name, public_id), entry in last.items():
        if entry.salt is not None and not f"{entry.action}".endswith(DELETING):
            yield Fault(entry.chain, entry.number, f"{name} {public_id} was deleted")


def _is_readable(column: ColumnElement[Any], of_row: ColumnElement[bool]) -> bool:
    try:
        db.session.scalar(select(column).where(of_row))
    except UNREADABLE:
        return False
    return True


def _difference(entry: _Newest, model: Any, after: dict[str, Any]) -> str:
    """The columns that differ. One that was added to the table since has to stand at its default, if the log did not cover it later."""
    recorded = db.session.scalar(select(AuditEntry.state).where(AuditEntry.chain == entry.chain, AuditEntry.number == entry.number))
    try:
        before = dict(json.loads(recorded or "{}"))
    except UNREADABLE:
        return "what was recorded of it cannot be read"
    for key in (model.audit_hashes | model.audit_later) - before.keys():
        before[key] = after[key]  # not covered yet when this was recorded
    for column in model.__mapper__.column_attrs:
        default = column.columns[0].default
        if column.key not in before:
            before[column.key] = default.arg(None) if default is not None and default.is_callable else _plain(default and default.arg)
    return ", ".join(sorted(key for key in after if before.get(key) != after.get(key)))


def verify() -> tuple[int, list[Fault]]:
    """Check every chain and every logged row; return the number of entries and the faults, worst place first."""
    db.session.expire_all()
    faults: list[Fault] = []
    heads = {head.chain: (head.number, head.hash) for head in db.session.execute(select(HEADS).order_by(HEADS.c.chain))}
    newest: dict[tuple[str, str], _Newest] = {}
    for chain, head in heads.items():
        faults.extend(_chain_faults(chain, head, newest))
    for chain in db.session.scalars(select(AuditEntry.chain).distinct()):
        if chain not in heads:
            faults.append(Fault(chain, 0, "the chain's head is missing"))
    faults.extend(_row_faults(newest))
    return sum(number for number, _hash in heads.values() if isinstance(number, int)), faults
