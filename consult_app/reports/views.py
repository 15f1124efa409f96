"""Views."""

from flask import Blueprint

from consult_app.reports import models as models

bp = Blueprint("reports", __name__)
