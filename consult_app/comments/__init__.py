"""Comments, endorsements, positions, and their answers."""

from flask import Flask

from . import authors, change_views, desk, draft_views, evidence_views, matrix_views, reply_views, together, views  # noqa: F401  they listen, or add routes to the blueprints


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.register_blueprint(desk.bp)
    app.jinja_env.globals.update(comments_beside=change_views.beside, answered_in=change_views.answered_in)
