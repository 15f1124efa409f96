"""The pages that mix features, and the thread that every organiser's page shows beside it."""

from flask import Flask, g

from consult_app.consultations.models import Consultation

from . import views
from .thread import Knot, figures_of, thread


def thread_of(consultation: Consultation) -> list[Knot]:
    """The seven knots of a consultation, for whoever looks; a name that `base.html` uses."""
    return thread(consultation, figures_of([consultation])[consultation.id], g.actor)


def init_app(app: Flask) -> None:
    app.register_blueprint(views.bp)
    app.extensions["figures"] = {}
    app.jinja_env.globals["thread_of"] = thread_of
