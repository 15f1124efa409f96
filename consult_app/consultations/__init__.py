"""consultations: see models, actions, framework, team, queries, views."""

from flask import Flask

from . import deputy_views, diff, finding_views, framework_views, section_views, team_views, territory, views

__all__ = ["deputy_views", "finding_views", "framework_views", "init_app", "section_views", "team_views", "views"]


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.jinja_env.filters.update(territory=territory.territory_name, shortened=diff.shortened)
