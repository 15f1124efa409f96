"""A comment, reply and position keep the institution and type that their author had; a change of institution may have to be confirmed.

Revision ID: 0019
Revises: 0018

"""
from alembic import op
import sqlalchemy as sa


revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None

SAID = (('comments', False), ('replies', True), ('positions', False))
KEPT = (('institution_id', 'institutions'), ('stakeholder_type_id', 'stakeholder_types'))


def upgrade():
    for table, may_lack in SAID:
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column, of in KEPT:
                batch_op.add_column(sa.Column(column, sa.Integer(), nullable=True))
                batch_op.create_foreign_key(op.f(f'fk_{table}_{column}_{of}'), of, [column], ['id'])
        # what was not kept then is as today's registration says
        for column, _of in KEPT:
            theirs = f'SELECT r.{column} FROM registrations r WHERE r.id = {table}.registration_id'
            op.execute(sa.text(f'UPDATE {table} SET {column} = ({theirs})'))
        if not may_lack:
            with op.batch_alter_table(table, schema=None) as batch_op:
                for column, _of in KEPT:
                    batch_op.alter_column(column, existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table('positions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('was_spoken', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('positions', schema=None) as batch_op:
        batch_op.alter_column('was_spoken', existing_type=sa.Boolean(), server_default=None)


def downgrade():
    with op.batch_alter_table('positions', schema=None) as batch_op:
        batch_op.drop_column('was_spoken')
    for table, _may_lack in reversed(SAID):
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column, of in reversed(KEPT):
                batch_op.drop_constraint(op.f(f'fk_{table}_{column}_{of}'), type_='foreignkey')
                batch_op.drop_column(column)
