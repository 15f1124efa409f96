"""The thread's figures: counted again exactly where something was recorded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from flask import Flask

from consult_app.comments.actions import write_comment
from consult_app.comments.models import CommentKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.factories import BY


def comments_of(page: str) -> int:
    found = re.search(r"(\d+) comments?\b", page)
    assert found is not None
    return int(found[1])


def test_figures_are_counted_again_only_where_something_was_recorded(app: Flask, browse: Any, count_queries: Any) -> None:
    event = factories.make_event()
    person = factories.make_registration(event)
    for section in event.consultation.sections:
        consultations.open_section(section, by=BY)
    indicator = event.consultation.dimensions[0].indicators[0]
    client = browse(factories.make_user(Role.ORGANISER, event.consultation))

    def look() -> tuple[int, int]:
        with count_queries() as statements:
            page = client.get(f"/events/{event.slug}")
        assert page.status_code == 200
        return comments_of(page.text), sum("dispositions" in one for one in statements)

    assert look()[0] == 0
    assert look() == (0, 0)
    write_comment(indicator, person, CommentKind.CONTEXT, "Name the law.", by=person, client_key="first")
    db.session.commit()
    assert look() == (1, 1)
    assert look() == (1, 0)
    write_comment(indicator, person, CommentKind.CONTEXT, "And its year.", by=person, client_key="second")
    db.session.rollback()
    assert look() == (1, 0)
    in_another_process = """
import sys
from pathlib import Path
from consult_app import create_app
from consult_app.comments.actions import withdraw_comment
from consult_app.comments.models import Comment
from consult_app.db import db
from consult_app.policy import System
with create_app({"VAR": Path(sys.argv[1]), "DATABASE_URL": sys.argv[2]}).app_context():
    withdraw_comment(db.session.scalar(db.select(Comment)), by=System("other"))
    db.session.commit()
"""
    other = [sys.executable, "-c", in_another_process, str(app.config["VAR"]), app.config["DATABASE_URL"]]
    subprocess.run(other, cwd=Path(__file__).parents[2], check=True)
    assert look() == (0, 1)
