"""room: see models, actions, queries, hub, stream, views."""

from flask import Flask

from consult_app import audit
from consult_app.comments.actions import comment_checked, opinion_given

from . import actions, blueprint, console_views, plenary_views, queries, views  # noqa: F401  the views add their routes
from .bus import connect
from .hub import Hub


def init_app(app: Flask) -> None:
    hub = app.extensions["hub"] = Hub(app.config["LOOK"])
    audit.on_commit(app, hub.tell)
    bus = app.extensions["bus"] = connect(app, hub)
    if bus is not None:
        audit.on_commit(app, bus.tell)
    opinion_given.connect(actions.refuse_where_closed)
    comment_checked.connect(actions.let_wait_where_moderated)
    app.jinja_env.globals["rooms_on"] = queries.rooms_on
    app.register_blueprint(blueprint.bp)
