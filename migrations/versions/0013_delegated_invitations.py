"""Whom an invitation was passed on to is found by an index.

Revision ID: 0013
Revises: 0012

"""
from alembic import op


revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade():
    op.create_index("ix_event_invitations_delegated_from_id", "event_invitations", ["delegated_from_id"])


def downgrade():
    op.drop_index("ix_event_invitations_delegated_from_id", "event_invitations")
