"""One application and one filled database for a whole module: what a test changes, it puts back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache

from consult_app import create_app
from consult_app.db import db
from tests.conftest import SETTINGS, Client, empty_database
from tests.security.world import Site, fill


@pytest.fixture(scope="module")
def site(compiled_templates: FileSystemBytecodeCache, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two filled consultations that have nothing to do with each other, and a client for every kind of person."""
    folder = tmp_path_factory.mktemp("site")
    app: Flask = create_app({**SETTINGS, "VAR": folder, "DATABASE_URL": empty_database(folder)})
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = compiled_templates
    with app.app_context():
        yield fill(app)
        db.session.remove()
        db.engine.dispose()
