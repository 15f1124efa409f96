"""A consultation whose sections can be signed: the same as for its report."""

from tests.reports.conftest import consultation, focal_point, organiser

__all__ = ["consultation", "focal_point", "organiser"]
