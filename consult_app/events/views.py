"""Views."""

from flask import Blueprint

from consult_app.events import models as models

bp = Blueprint("events", __name__)
