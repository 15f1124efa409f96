"""Every column of every logged row is changed, rows are deleted, chains cut off and rewritten: `consult audit verify` names it.

The rows are made from the mapped columns, so that a table or column that is new tomorrow is tried tomorrow.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner

from benchmarks.site import empty_site
from consult_app import audit, checkpoints
from consult_app.cli import verify_command
from consult_app.db import db
from proofs import Finding
from tests.factories import BY

MOMENT = dt.datetime(2023, 12, 19, 9, 0, 0, 1, tzinfo=dt.UTC)
# what verification walks over and cannot miss: an entry is found by chain and number, and `id` is where the database keeps it
WITHOUT_MEANING = {("audit_entries", "id")}


@dataclass
class Trial:
    """One thing done behind the log's back: the statements, and what the verification has to name."""

    what: str
    statements: list[Any]
    names: str


def _value(column: sa.Column[Any], other: bool = False) -> Any:
    """A value that fits the column; with `other`, another one."""
    kind = column.type
    if isinstance(kind, sa.Enum):
        assert kind.enum_class is not None
        return list(kind.enum_class)[-1 if other else 0]
    if isinstance(kind, sa.JSON):
        return {"en": "other" if other else "one"}
    if isinstance(kind, sa.LargeBinary):
        return b"other" if other else b"one"
    python = kind.python_type if not isinstance(kind, sa.types.TypeDecorator) else dt.datetime
    later = dt.timedelta(seconds=1 if other else 0)
    known = {
        bool: other,
        int: 902 if other else 901,
        float: 2.5 if other else 1.5,
        str: "other" if other else "one",
        dt.datetime: MOMENT + later,
        dt.date: MOMENT.date() + dt.timedelta(days=int(other)),
        dt.time: (MOMENT + later).time(),
    }
    return known[python]


def _let_everything_pass(raw: Any, _record: Any) -> None:
    """Whoever tampers with a database does not mind its checks."""
    for pragma in ("foreign_keys=OFF", "ignore_check_constraints=ON"):
        raw.execute(f"PRAGMA {pragma}")


NAMES = ("proof", "second", "gone")


def _columns_of(model: Any, nth: int, name: str) -> dict[str, Any]:
    """A value for every column of the first, second or third row of a table. Each key of a table is another."""
    columns = {c.key: _value(c.columns[0]) for c in model.__mapper__.column_attrs}
    for column in model.__mapper__.column_attrs if nth else ():
        if isinstance(columns[column.key], str) and not isinstance(column.columns[0].type, sa.Enum):
            columns[column.key] = NAMES[nth]
        elif type(columns[column.key]) is int:
            columns[column.key] = 910 + nth
    return columns | {"id": 1000 + 2 * nth, "public_id": f"{NAMES[nth]}{name.lower()}"}


@contextmanager
def _site() -> Iterator[dict[str, tuple[Any, int, int]]]:
    """A site with two logged rows in every table that the log covers, and a third that was removed as the product does it.

    Gives the model, and the chain and number of the first row's entry, by the model's name.
    """
    with empty_site() as (_app, _event):
        db.session.remove()
        db.engine.dispose()
        sa.event.listen(db.engine, "connect", _let_everything_pass)
        rows: dict[str, tuple[Any, int, int]] = {}
        for name, model in sorted(audit.audited_models().items()):
            first, second, gone = (model(**_columns_of(model, nth, name)) for nth in range(3))
            db.session.add(first)
            entry = audit.record(BY, f"proof.{name.lower()}", first)
            rows[name] = (model, entry["chain"], entry["number"])
            db.session.add(second)
            audit.record(BY, f"proof.{name.lower()}", second)
            db.session.add(gone)
            audit.record(BY, f"proof.{name.lower()}", gone)
            audit.record(BY, f"proof.{name.lower()}.delete", gone)
            db.session.delete(gone)
        db.session.commit()
        db.session.remove()
        yield rows


def _spoil(table: sa.Table, column: str, where: Any) -> Any:
    """A value that is no date, number, JSON or text, and cannot be read as one."""
    return sa.update(table).where(where).values({sa.literal_column(column): sa.literal_column("x'ff'")})


def _columns(model: Any) -> Iterator[tuple[sa.Column[Any], bool]]:
    """The columns of a model, and whether the log covers each."""
    for column in model.__mapper__.column_attrs:
        yield column.columns[0], column.key not in model.audit_leaves_out


def _row_trials(rows: dict[str, tuple[Any, int, int]]) -> Iterator[Trial]:
    for name, (model, chain, number) in rows.items():
        table = model.__table__
        yield from _whole_row_trials(name, model, chain, number)
        of_row = table.c.public_id == f"proof{name.lower()}"
        named = f"chain {chain}, entry {number}: {name} proof{name.lower()}"
        for column, is_covered in _columns(model):
            if not is_covered:
                continue
            words = f"{named} was deleted" if column.name == "public_id" else f"{named} is not as it was recorded: {column.key}"
            other = 1001 if column.name == "id" else _value(column, other=True)
            yield Trial(f"{name}.{column.name}", [sa.update(table).where(of_row).values({column.name: other})], words)
            if column.nullable:
                yield Trial(f"{name}.{column.name} emptied", [sa.update(table).where(of_row).values({column.name: None})], words)
            if column.name not in ("id", "public_id"):  # SQLite itself takes only numbers as a key
                yield Trial(f"{name}.{column.name} spoilt", [_spoil(table, column.name, of_row)], words)
        yield Trial(f"{name} deleted", [sa.delete(table).where(of_row)], f"{named} was deleted")


def _whole_row_trials(name: str, model: Any, chain: int, number: int) -> Iterator[Trial]:
    """Rows that were put in, put back after the product removed them, or changed places with another."""
    table = model.__table__
    first, second = (table.c.public_id == f"{which}{name.lower()}" for which in NAMES[:2])
    new = {column.columns[0].name: value for column in model.__mapper__.column_attrs
           for value in [_columns_of(model, 2, name)[column.key]]}  # fmt: skip
    back = f"{name} gone{name.lower()} was deleted, and stands in the database again"
    yield Trial(f"{name} put back", [sa.insert(table).values(new)], back)
    unknown = f"{name} unknown{name.lower()} stands in the database but was never recorded"
    yield Trial(f"{name} put in", [sa.insert(table).values(new | {"public_id": f"unknown{name.lower()}"})], unknown)
    for column, value in (("id", 9999), ("public_id", "between")):
        of = {which: _columns_of(model, which, name)[column] for which in (0, 1)}
        if column == "id":
            of_first, of_second, between = table.c.id == of[0], table.c.id == of[1], table.c.id == value
        else:
            of_first, of_second, between = first, second, table.c.public_id == value
        swap = [
            sa.update(table).where(of_first).values({column: value}),
            sa.update(table).where(of_second).values({column: of[0]}),
            sa.update(table).where(between).values({column: of[1]}),
        ]
        named = f"chain {chain}, entry {number}: {name} proof{name.lower()} is not as it was recorded"
        yield Trial(f"{name} {column} exchanged", swap, named)


def _entry_trials(chain: str, number: int) -> Iterator[Trial]:
    """One entry in the middle of a chain, and the chain's head."""
    entries, heads = audit.ENTRIES, audit.HEADS
    mine = sa.and_(entries.c.chain == chain, entries.c.number == number)
    for column in entries.columns:
        if ("audit_entries", column.name) in WITHOUT_MEANING:
            continue
        other = 10_000 if column.name == "number" else _value(column, other=True)
        named = f"chain {chain}, entry {number}: "
        yield Trial(f"entry.{column.name}", [sa.update(entries).where(mine).values({column.name: other})], named)
        if column.name not in ("chain", "number"):
            yield Trial(f"entry.{column.name} spoilt", [_spoil(entries, column.name, mine)], named)
    removed = f"chain {chain}, entry {number}: an entry was removed or rewritten"
    yield Trial("entry removed", [sa.delete(entries).where(mine)], removed)
    for column in heads.columns:
        if column.name != "chain":
            spoilt = _spoil(heads, column.name, heads.c.chain == chain)
            yield Trial(f"head.{column.name} spoilt", [spoilt], f"chain {chain}")
        where = "chain other" if column.name == "chain" else f"chain {chain}"
        other = 10_000 if column.name == "number" else "other"
        changed = sa.update(heads).where(heads.c.chain == chain).values({column.name: other})
        yield Trial(f"head.{column.name}", [changed], where)
    missing = f"chain {chain}, entry 0: the chain's head is missing"
    yield Trial("head removed", [sa.delete(heads).where(heads.c.chain == chain)], missing)
    yield Trial("chain emptied", [sa.delete(entries).where(entries.c.chain == chain)], f"chain {chain}, entry 1: ")


def _told(*arguments: str) -> tuple[int, str]:
    """What `consult audit verify` says of what stands in this transaction, and its exit code."""
    done = CliRunner().invoke(verify_command, list(arguments), obj=None)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stderr


def _missed(trials: list[Trial]) -> list[str]:
    """Do all of them in one transaction that is rolled back; return those of which the command does not say the chain, entry and row."""
    for trial in trials:
        for statement in trial.statements:
            assert db.session.execute(statement).rowcount >= 1, trial.what
    try:
        code, words = _told()
    except AssertionError as problem:
        return [f"{trial.what}: {problem}" for trial in trials]
    finally:
        db.session.rollback()
    if (
        len(trials) == 1 and "." in trials[0].what and ".public_id" not in trials[0].what
    ):  # a row under another name is first of all an unknown one
        words = words.split("\n", 1)[0]
    return [trial.what for trial in trials if code == 0 or trial.names not in words]


def _rewrite(chain: str, first: int, last: int) -> None:
    """Make a chain fit in itself again from one entry on, as somebody would who can write to the database; it ends at `last`."""
    entries = db.session.execute(sa.select(audit.ENTRIES).where(audit.ENTRIES.c.chain == chain).order_by(audit.ENTRIES.c.number)).mappings()
    previous = audit.START
    for entry in [dict(entry) for entry in entries if entry["number"] <= last]:
        entry["previous"] = previous
        if entry["number"] == first:
            entry["actor"] = "user:somebody-else"
        previous = audit.sha256(audit.canonical([audit._plain(entry[name]) for name in audit.HASHED]))
        of_entry = audit.ENTRIES.c.id == entry["id"]
        db.session.execute(sa.update(audit.ENTRIES).where(of_entry).values(previous=entry["previous"], hash=previous, actor=entry["actor"]))
    db.session.execute(sa.delete(audit.ENTRIES).where(audit.ENTRIES.c.chain == chain, audit.ENTRIES.c.number > last))
    db.session.execute(sa.update(audit.HEADS).where(audit.HEADS.c.chain == chain).values(number=last, hash=previous))


def _forgeries_missed(chain: str) -> tuple[int, list[str]]:
    """Chains that were cut off or rewritten so that they fit in themselves, against a checkpoint that somebody kept elsewhere."""
    missed, tried = [], 0
    end = audit.last_number(chain)
    kept = json.loads(checkpoints.make(chain))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kept.json"
        file.write_text(json.dumps(kept))
        db.session.rollback()
        for first, last, words in (
            (end, end, "the chain was rewritten"), (end // 2, end, "the chain was rewritten"), (1, end, "the chain was rewritten"),
            (0, end - 1, "the chain was cut off"), (0, end // 2, "the chain was cut off"), (0, 0, "the chain was cut off"),
        ):  # fmt: skip
            _rewrite(chain, first, last)
            code, said = _told("--checkpoint", str(file))
            db.session.rollback()
            tried += 1
            if code == 0 or f"chain {chain}, entry {end}: {words}" not in said:
                missed.append(f"rewritten from {first}, ending at {last} of {end}")
    return tried, missed


def tampering(*, together: bool) -> Finding:
    """Try all of it; `together`: one column of every table at a time, which is quick, else each change alone."""
    with _site() as rows:
        assert _told() == (0, "")
        trials = list(_row_trials(rows))
        if together:
            by_model: dict[str, list[Trial]] = {}
            for trial in trials:
                by_model.setdefault(trial.what.split(".")[0].split(" ")[0], []).append(trial)
            most = max(len(some) for some in by_model.values())
            batches = [[some[n] for some in by_model.values() if n < len(some)] for n in range(most)]
        else:
            batches = [[trial] for trial in trials]
        missed = [what for batch in batches for what in _missed(batch)]
        _model, chain, number = rows["Comment"]
        others = list(_entry_trials(chain, number))
        missed += [what for trial in others for what in _missed([trial])]
        forged, more = _forgeries_missed(chain)
        missed += more
        covered = [is_covered for model, _chain, _number in rows.values() for _column, is_covered in _columns(model)]
        left_out = len(covered) - sum(covered)
    figure = (
        f"{len(trials) + len(others) + forged - len(missed)} of {len(trials) + len(others) + forged} changes found and named"
        f" ({sum(covered)} columns of {len(rows)} tables; {left_out} that decide nothing are left out)"
    )
    return Finding(figure + (f"; missed: {', '.join(missed[:5])}" if missed else ""), not missed)
