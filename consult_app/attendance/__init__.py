"""attendance: see models, actions, queries, views, api."""

from flask import Flask, request

from consult_app import web

from . import api, desk_views, device_views, devices, queries, views


def init_app(app: Flask) -> None:
    app.extensions.update(turns={}, devices={}, device_copies={})
    app.jinja_env.globals["online_today"] = queries.online_today
    web.actor_loaders["token"] = lambda token, _number: devices.by_token(token, for_scan=request.endpoint == "api.check_in")
    app.register_blueprint(views.bp)
    app.register_blueprint(device_views.bp)
    app.register_blueprint(desk_views.bp)
    app.register_blueprint(api.bp)
    web.csrf.exempt(api.bp)  # no cookie is read there
