"""An answer can be taken back before its author was told.

Revision ID: 0018
Revises: 0017

"""
from alembic import op
import sqlalchemy as sa


revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table('dispositions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('taken_back_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('taken_back_by_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(op.f('fk_dispositions_taken_back_by_id_users'), 'users', ['taken_back_by_id'], ['id'])


def downgrade():
    with op.batch_alter_table('dispositions', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('fk_dispositions_taken_back_by_id_users'), type_='foreignkey')
        batch_op.drop_column('taken_back_by_id')
        batch_op.drop_column('taken_back_at')
