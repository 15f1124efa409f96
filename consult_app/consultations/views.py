"""Views."""

from flask import Blueprint

from consult_app.consultations import models as models

bp = Blueprint("consultations", __name__)
