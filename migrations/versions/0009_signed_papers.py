"""scans of signatures by hand

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-26 15:55:00

"""
from alembic import op
import sqlalchemy as sa


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('signed_papers',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('section_id', sa.Integer(), nullable=False),
    sa.Column('revision_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('kept_by_id', sa.Integer(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_signed_papers_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['kept_by_id'], ['users.id'], name=op.f('fk_signed_papers_kept_by_id_users')),
    sa.ForeignKeyConstraint(['revision_id'], ['revisions.id'], name=op.f('fk_signed_papers_revision_id_revisions')),
    sa.ForeignKeyConstraint(['section_id'], ['sections.id'], name=op.f('fk_signed_papers_section_id_sections')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_signed_papers')),
    sa.UniqueConstraint('key', name=op.f('uq_signed_papers_key')),
    sa.UniqueConstraint('public_id', name=op.f('uq_signed_papers_public_id')),
    sa.UniqueConstraint('revision_id', 'sha256', name=op.f('uq_signed_papers_revision_id_sha256'))
    )
    with op.batch_alter_table('signed_papers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_signed_papers_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_signed_papers_section_id'), ['section_id'], unique=False)


def downgrade():
    op.drop_table('signed_papers')
