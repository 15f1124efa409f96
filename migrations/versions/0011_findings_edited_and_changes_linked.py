"""findings that are edited, and changes linked to the comments they answer

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-26 16:30:00

"""
from alembic import op
import sqlalchemy as sa


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('change_links',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('section_id', sa.Integer(), nullable=False),
    sa.Column('indicator_id', sa.Integer(), nullable=True),
    sa.Column('comment_id', sa.Integer(), nullable=False),
    sa.Column('edit_number', sa.Integer(), nullable=False),
    sa.Column('revision_id', sa.Integer(), nullable=True),
    sa.Column('linked_by_id', sa.Integer(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_change_links_comment_id_comments')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_change_links_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['indicator_id'], ['indicators.id'], name=op.f('fk_change_links_indicator_id_indicators')),
    sa.ForeignKeyConstraint(['linked_by_id'], ['users.id'], name=op.f('fk_change_links_linked_by_id_users')),
    sa.ForeignKeyConstraint(['revision_id'], ['revisions.id'], name=op.f('fk_change_links_revision_id_revisions')),
    sa.ForeignKeyConstraint(['section_id'], ['sections.id'], name=op.f('fk_change_links_section_id_sections')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change_links')),
    sa.UniqueConstraint('public_id', name=op.f('uq_change_links_public_id'))
    )
    with op.batch_alter_table('change_links', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_change_links_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_change_links_section_id'), ['section_id'], unique=False)

    with op.batch_alter_table('indicators', schema=None) as batch_op:
        batch_op.add_column(sa.Column('edit_number', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('edited_by_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_indicators_edited_by_id_users'), 'users', ['edited_by_id'], ['id'])


def downgrade():
    with op.batch_alter_table('indicators', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_indicators_edited_by_id_users'), type_='foreignkey')
        batch_op.drop_column('edited_by_id')
        batch_op.drop_column('edit_number')

    op.drop_table('change_links')
