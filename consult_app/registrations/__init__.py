"""People at events: registering, changing, importing, tickets."""

from flask import Flask

# cloning and stakeholders listen; mails registers its builders; the views add their routes to one blueprint
from . import cloning, import_views, joining_views, list_views, mails, own_views, settings_views, stakeholders, views  # noqa: F401
from .blueprint import bp
from .tickets import grouped


def init_app(app: Flask) -> None:
    app.jinja_env.filters["grouped"] = grouped
    app.register_blueprint(bp)
    app.register_blueprint(import_views.bp)
