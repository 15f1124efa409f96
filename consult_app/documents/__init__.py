"""The papers of an event: badges, tent cards, certificates, lists, minutes, official record."""

from flask import Flask

from . import certificate_views, queries, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(certificate_views.bp)
    app.jinja_env.globals["certificate_of"] = queries.certificate_of  # the personal page offers it
