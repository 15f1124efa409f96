"""Invitations of institutions and persons, and the page of an institution."""

from flask import Flask

from consult_app.invitations import answer_views, import_views, send_views, views


def init_app(app: Flask) -> None:
    for part in (views, send_views, import_views, answer_views):
        app.register_blueprint(part.bp)
