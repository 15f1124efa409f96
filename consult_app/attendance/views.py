"""Views."""

from flask import Blueprint

from consult_app.attendance import models as models

bp = Blueprint("attendance", __name__)
