"""`consult backup` and `consult restore`: everything comes back, and nothing is put where something is, or from what is not whole."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from flask_migrate import upgrade

from consult_app import audit, backup, create_app
from consult_app.cli import backup_command, cli, restore_command
from consult_app.db import db
from consult_app.storage import new_key, store
from tests import factories
from tests.conftest import SETTINGS
from tests.postgresql import postgresql_server


@pytest.fixture
def made(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a site with a registration and an attachment."""
    factories.make_registration(name="Siti")
    store().put(new_key(), b"evidence")
    db.session.commit()
    file = tmp_path_factory.mktemp("kept") / "site.tar"
    backup.make(file)
    return file


def told(command: Any, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(words), obj=None)
    return done.exit_code, done.output


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_comes_back(app: Flask, made: Path, tmp_path: Path) -> None:
    contents, url = backup.restore(made, tmp_path / "new", "")
    restored, site = files_of(tmp_path / "new"), files_of(app.config["VAR"])
    kept = {name for name in site if name.startswith(("keys/", "attachments/"))}
    assert any(name.startswith("attachments/") for name in kept)
    assert {name: restored[name] for name in kept} == {name: site[name] for name in kept}
    assert {"consult.db", "jobs.db"} <= set(restored)
    assert made.stat().st_mode & 0o077 == 0
    assert not any(path.stat().st_mode & 0o077 for path in (tmp_path / "new").rglob("*") if path.is_file())
    again = create_app({**SETTINGS, "VAR": tmp_path / "new", "DATABASE_URL": url})
    with again.app_context():
        assert audit.verify() == (sum(number for number, _hash in contents.heads.values()), [])
        db.session.remove()
        db.engine.dispose()


def test_the_commands_say_what_they_did(app: Flask, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.make_registration()
    db.session.commit()
    folder = tmp_path_factory.mktemp("kept")
    code, words = told(backup_command, str(folder), "--keep", "1")
    assert code == 0, words
    assert "The site's keys are in it" in words
    (older,) = folder.iterdir()
    older.rename(folder / "consult-20010101-000000.tar")
    assert told(backup_command, str(folder), "--keep", "1")[0] == 0
    (file,) = folder.iterdir()
    assert file.name > "consult-2002"
    for name in ("CONSULT_VAR", "DATABASE_URL"):
        monkeypatch.setenv(name, "")  # what the command sets in its own process is put back
    monkeypatch.delenv("DATABASE_URL")
    code, words = told(restore_command, str(file), str(folder / "new"))
    assert code == 0, words
    assert "0 faults" in words
    assert "restore" in cli.commands


def test_a_folder_that_is_not_empty_is_left_alone(made: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "theirs").write_text("x")
    code, words = told(restore_command, str(made), str(tmp_path / "full"))
    assert code == 1
    assert "is not empty" in words
    assert files_of(tmp_path / "full") == {"theirs": b"x"}


def _changed(made: Path, how: str) -> None:
    data = made.read_bytes()
    if how == "cut off":
        made.write_bytes(data[: len(data) // 2])
    elif how == "one byte":
        made.write_bytes(data.replace(b"evidence", b"Evidence"))
    elif how == "not an archive":
        made.write_bytes(b"something else")
    else:
        with tarfile.open(made, "a") as archive:
            entry = tarfile.TarInfo({"a file more": "attachments/more", "a way out": "../out"}[how])
            archive.addfile(entry, io.BytesIO())


@pytest.mark.parametrize("how", ["cut off", "one byte", "not an archive", "a file more", "a way out"])
def test_what_is_not_whole_is_not_restored(made: Path, tmp_path: Path, how: str) -> None:
    _changed(made, how)
    into = tmp_path / "deep" / "new"
    code, words = told(restore_command, str(made), str(into))
    assert code == 1, words
    assert "backup" in words
    assert list(into.iterdir()) == []
    assert not (tmp_path / "deep" / "out").exists()


def test_it_is_not_written_beside_what_it_saves_or_half(app: Flask, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    code, words = told(backup_command, str(tmp_path / "site.tar"))  # tmp_path is var/ here
    assert code == 1
    assert "outside of the site's own folder" in words
    code, words = told(backup_command, str(tmp_path_factory.mktemp("kept") / "missing" / "site.tar"))
    assert code == 1
    assert "Nothing was backed up" in words


def test_postgresql_comes_back_by_its_own_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with postgresql_server() as url:
        app = create_app({**SETTINGS, "VAR": tmp_path / "var", "DATABASE_URL": url})
        with app.app_context():
            upgrade()
            factories.make_registration(name="Siti")
            db.session.commit()
            contents = backup.make(tmp_path / "site.tar")
            with pytest.raises(backup.BackupError, match="not empty"):
                backup.restore(tmp_path / "site.tar", tmp_path / "new", url)
            with pytest.raises(backup.BackupError, match="set DATABASE_URL"):
                backup.restore(tmp_path / "site.tar", tmp_path / "new", "sqlite:////tmp/x.db")
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("CREATE DATABASE another")
            db.session.remove()
            db.engine.dispose()
        again, address = backup.restore(tmp_path / "site.tar", tmp_path / "new", url.rsplit("/", 1)[0] + "/another")
        assert again == contents
        restored = create_app({**SETTINGS, "VAR": tmp_path / "new", "DATABASE_URL": address})
        with restored.app_context():
            assert audit.verify() == (sum(number for number, _hash in contents.heads.values()), [])
            db.session.remove()
            db.engine.dispose()
        with app.app_context(), monkeypatch.context() as patch:
            patch.setenv("PATH", str(tmp_path))
            with pytest.raises(backup.BackupError, match="pg_dump is missing"):
                backup.make(tmp_path / "other.tar")
            db.engine.dispose()
