"""Consult: from the invitation to a sealed report. `create_app` puts the house together."""

from __future__ import annotations

import gc

_collects = gc.isenabled()
gc.disable()  # nearly all that an import makes stays: the collector would look through it again and again, for half a second

from collections.abc import Callable
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Flask
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix
from whitenoise import WhiteNoise

import config

from . import (
    accounts,
    attendance,
    checkpoints,
    comments,
    consultations,
    db,
    documents,
    events,
    i18n,
    invitations,
    jobs,
    keys,
    logs,
    messages,
    monitor,
    outcomes,
    overview,
    privacy,
    registrations,
    reports,
    room,
    signoff,
    web,
)

if _collects:
    gc.freeze()  # nor at the process's end, which took longer than most commands
    gc.set_threshold(10_000, 10, 10)  # a large report is made of millions of objects: a third faster, for a tenth more memory
    gc.enable()


class Site(APIFlask):
    """No view, hook or handler here is asynchronous: Flask need not look at each of them at each request."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: dict[str, Any] | None = None) -> Flask:
    """Make the application; `settings` override what the environment says (tests)."""
    root = config.ROOT
    app = Site(
        "consult_app",
        title="Consult",
        version="1",
        spec_path=None,
        docs_path=None,
        json_errors=False,  # pages answer with pages; the API's errors are made in web.py
        root_path=str(root),
        template_folder="templates",
        static_folder="static",
    )
    app.security_schemes = {"token": {"type": "http", "scheme": "bearer"}}
    app.config.update(config.from_environment())
    app.config.update(MIGRATIONS=root / "migrations", TRANSLATIONS=root / "consult_app" / "translations", **(settings or {}))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for part in (logs, keys, i18n, db, jobs, checkpoints, monitor, web):
        part.init_app(app)
    for feature in (
        accounts, consultations, events, registrations, invitations, messages, attendance, documents, comments, room, privacy, signoff,
        reports, outcomes, overview,
    ):  # fmt: skip
        feature.init_app(app)
    built = Path(app.static_folder or "") / "dist"
    if built.is_dir():
        app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
            app.wsgi_app, root=str(built), prefix="static/dist/", immutable_file_test=lambda path, url: "-" in Path(path).stem
        )
    if proxies := app.config["PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    return app
