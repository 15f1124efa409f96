"""What a form makes is made once per click.

Revision ID: 0016
Revises: 0015

"""
from alembic import op
import sqlalchemy as sa


revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        'made_once',
        sa.Column('form_hash', sa.String(), nullable=False),
        sa.Column('row_id', sa.Integer(), nullable=True),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('form_hash', name=op.f('pk_made_once')),
    )
    op.create_index(op.f('ix_made_once_made_at'), 'made_once', ['made_at'])


def downgrade():
    op.drop_index(op.f('ix_made_once_made_at'), table_name='made_once')
    op.drop_table('made_once')
