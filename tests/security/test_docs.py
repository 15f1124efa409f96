"""What docs/security.md says is shown by a test is shown by one that exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from consult_app.audit import audited_models
from consult_app.policy import Role
from tests import factories

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(r"`([\w./]+\.\w+)(?:::([\w:]+))?`", (ROOT / "docs/security.md").read_text())


def test_every_test_and_file_that_is_named_exists() -> None:
    missing = []
    for path, name in SHOWN:
        file = next((place / path for place in (ROOT / "tests", ROOT) if (place / path).is_file()), None)
        functions = name.split("::") if name else []
        if file is None or any(f"{'class' if part[0].isupper() else 'def'} {part}" not in file.read_text() for part in functions):
            missing.append(f"{path}::{name}")
    assert missing == []
    assert len([name for _path, name in SHOWN if name]) > 50


def test_the_columns_that_the_log_leaves_out_are_named_with_a_reason() -> None:
    words = (ROOT / "docs/reliability.md").read_text().partition("## What the log does not cover")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+\.\w+)`", words))
    assert named == {f"{model.__tablename__}.{key}" for model in audited_models().values() for key in model.audit_leaves_out}
    assert len(named) == 13


def test_sign_ins_and_refusals_are_logged(browse: Any, capfd: pytest.CaptureFixture[str]) -> None:
    consultation = factories.make_consultation()
    user = factories.make_user(Role.OBSERVER, consultation)
    browse().post("/sign-in", data={"email": user.email, "password": "wrong"})
    browse(user).get(f"/consultations/{consultation.slug}/edit")
    lines = [line for line in capfd.readouterr().err.splitlines() if user.public_id in line]
    for words in ("account.password", "account.signed_in", "policy.refused"):
        assert any(words in line for line in lines), words
    assert not any(user.email in line or user.name in line for line in lines)
