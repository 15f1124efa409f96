"""People at events: registering, changing, importing, tickets."""

from flask import Flask

from . import import_views, stakeholders, views  # noqa: F401  stakeholders: listens to new consultations


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(import_views.bp)
