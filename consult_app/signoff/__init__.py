"""signoff: see models, standing, gate, workflow, actions, queries, views."""

from flask import Flask, g

from consult_app.consultations.models import Section

from . import digest_views, views
from .digest import choices
from .workflow import Outlook, outlook

__all__ = ["digest_views", "init_app"]


def section_outlook(section: Section) -> Outlook:
    """The way of a section to its signatures, for whoever looks; a name that the section's page uses."""
    return outlook(section, g.actor)


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.jinja_env.globals.update(section_outlook=section_outlook, digest_choices=choices)
