"""A participant's change to an institution that is represented already waits for an organiser.

Revision ID: 0020
Revises: 0019

"""
from alembic import op
import sqlalchemy as sa


revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'institution_changes',
        sa.Column('consultation_id', sa.Integer(), nullable=False),
        sa.Column('registration_id', sa.Integer(), nullable=False),
        sa.Column('institution_id', sa.Integer(), nullable=False),
        sa.Column('stakeholder_type_id', sa.Integer(), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('is_accepted', sa.Boolean(), nullable=False),
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_institution_changes_consultation_id_consultations')),
        sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_institution_changes_institution_id_institutions')),
        sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_institution_changes_registration_id_registrations')),
        sa.ForeignKeyConstraint(['stakeholder_type_id'], ['stakeholder_types.id'], name=op.f('fk_institution_changes_stakeholder_type_id_stakeholder_types')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_institution_changes')),
        sa.UniqueConstraint('public_id', name=op.f('uq_institution_changes_public_id')),
    )
    with op.batch_alter_table('institution_changes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_institution_changes_registration_id'), ['registration_id'], unique=False)


def downgrade():
    op.drop_table('institution_changes')
