"""room: see models, actions, queries, hub, stream, views."""

from flask import Flask

from consult_app import audit
from consult_app.comments.actions import opinion_given

from . import actions, queries, views
from .hub import Hub


def init_app(app: Flask) -> None:
    hub = app.extensions["hub"] = Hub()
    audit.on_commit(app, hub.tell)
    opinion_given.connect(actions.refuse_where_closed)
    app.jinja_env.globals["rooms_on"] = queries.rooms_on
    app.register_blueprint(views.bp)
