"""What was told of positions and arrivals is kept, so that nobody can be told by what changes.

Revision ID: 0022
Revises: 0021

"""
from alembic import op
import sqlalchemy as sa


revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def _table(name, of, owner):
    op.create_table(
        name,
        sa.Column('consultation_id', sa.Integer(), nullable=False),
        sa.Column(of, sa.Integer(), nullable=False),
        sa.Column('told', sa.JSON(), nullable=False),
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f(f'fk_{name}_consultation_id_consultations')),
        sa.ForeignKeyConstraint([of], [f'{owner}.id'], name=op.f(f'fk_{name}_{of}_{owner}')),
        sa.PrimaryKeyConstraint('id', name=op.f(f'pk_{name}')),
        sa.UniqueConstraint('public_id', name=op.f(f'uq_{name}_public_id')),
    )
    with op.batch_alter_table(name, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f'ix_{name}_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f(f'ix_{name}_{of}'), [of], unique=False)


def upgrade():
    _table('positions_told', 'indicator_id', 'indicators')
    _table('arrivals_told', 'event_id', 'events')


def downgrade():
    op.drop_table('arrivals_told')
    op.drop_table('positions_told')
