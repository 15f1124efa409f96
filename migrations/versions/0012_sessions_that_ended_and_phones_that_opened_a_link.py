"""sessions that were signed out, and phones that opened a personal link

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-26 19:40:00

"""
from alembic import op
import sqlalchemy as sa


revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('ended_sessions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('sid_hash', sa.String(), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ended_sessions')),
    sa.UniqueConstraint('sid_hash', name=op.f('uq_ended_sessions_sid_hash'))
    )
    op.create_table('link_openings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('phone_hash', sa.String(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_link_openings_registration_id_registrations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_openings')),
    sa.UniqueConstraint('registration_id', 'phone_hash', name=op.f('uq_link_openings_registration_id_phone_hash'))
    )


def downgrade():
    op.drop_table('link_openings')
    op.drop_table('ended_sessions')
