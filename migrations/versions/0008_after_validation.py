"""what follows validation: recorded steps, follow-ups and what is said of them

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-26 15:20:00

"""
from alembic import op
import sqlalchemy as sa


revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

STATUS = ('open', 'in_progress', 'done', 'dropped')


def _public():
    return (
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    )


def upgrade():
    op.create_table('outcome_steps',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('comments_closed', 'counterpart_accepted', 'consent_given', 'published', name='stepkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('happened_on', sa.Date(), nullable=False),
    sa.Column('decided_by', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('report_id', sa.Integer(), nullable=True),
    sa.Column('recorded_by_id', sa.Integer(), nullable=True),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('undo_reason', sa.String(), nullable=False),
    *_public(),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_outcome_steps_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['recorded_by_id'], ['users.id'], name=op.f('fk_outcome_steps_recorded_by_id_users')),
    sa.ForeignKeyConstraint(['report_id'], ['reports.id'], name=op.f('fk_outcome_steps_report_id_reports')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outcome_steps')),
    sa.UniqueConstraint('public_id', name=op.f('uq_outcome_steps_public_id'))
    )
    with op.batch_alter_table('outcome_steps', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outcome_steps_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index('uq_outcome_steps_standing', ['consultation_id', 'kind'], unique=True, sqlite_where=sa.text('undone_at IS NULL'), postgresql_where=sa.text('undone_at IS NULL'))

    op.create_table('follow_ups',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('section_id', sa.Integer(), nullable=True),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('text', sa.JSON(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=True),
    sa.Column('contact', sa.String(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('status', sa.Enum(*STATUS, name='followupstatus', native_enum=False, create_constraint=True, length=32), nullable=False),
    *_public(),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_follow_ups_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_follow_ups_institution_id_institutions')),
    sa.ForeignKeyConstraint(['section_id'], ['sections.id'], name=op.f('fk_follow_ups_section_id_sections')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_follow_ups')),
    sa.UniqueConstraint('consultation_id', 'number', name=op.f('uq_follow_ups_consultation_id_number')),
    sa.UniqueConstraint('consultation_id', 'source', name=op.f('uq_follow_ups_consultation_id_source')),
    sa.UniqueConstraint('public_id', name=op.f('uq_follow_ups_public_id'))
    )
    with op.batch_alter_table('follow_ups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_follow_ups_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_follow_ups_institution_id'), ['institution_id'], unique=False)

    op.create_table('follow_up_notes',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('follow_up_id', sa.Integer(), nullable=False),
    sa.Column('status', sa.Enum(*STATUS, name='followupstatus', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('link', sa.String(), nullable=False),
    sa.Column('by_id', sa.Integer(), nullable=True),
    *_public(),
    sa.ForeignKeyConstraint(['by_id'], ['users.id'], name=op.f('fk_follow_up_notes_by_id_users')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_follow_up_notes_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['follow_up_id'], ['follow_ups.id'], name=op.f('fk_follow_up_notes_follow_up_id_follow_ups')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_follow_up_notes')),
    sa.UniqueConstraint('public_id', name=op.f('uq_follow_up_notes_public_id'))
    )
    with op.batch_alter_table('follow_up_notes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_follow_up_notes_follow_up_id'), ['follow_up_id'], unique=False)


def downgrade():
    op.drop_table('follow_up_notes')
    op.drop_table('follow_ups')
    op.drop_table('outcome_steps')
