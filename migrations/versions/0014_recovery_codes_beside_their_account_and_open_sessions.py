"""Recovery codes stand in the row of their account, which the log covers; and the sessions that accounts opened.

Revision ID: 0014
Revises: 0013

"""
from alembic import op
import sqlalchemy as sa


revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None

users = sa.table('users', sa.column('id', sa.Integer), sa.column('recovery_codes', sa.JSON))
codes = sa.table(
    'recovery_codes',
    sa.column('id', sa.Integer), sa.column('user_id', sa.Integer), sa.column('code_hash', sa.String), sa.column('used_at', sa.DateTime),
)


def upgrade():
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.add_column(sa.Column('recovery_codes', sa.JSON(), nullable=False, server_default='[]'))
    unused = {}
    for user_id, code_hash in op.get_bind().execute(
        sa.select(codes.c.user_id, codes.c.code_hash).where(codes.c.used_at.is_(None)).order_by(codes.c.id)
    ):
        unused.setdefault(user_id, []).append(code_hash)
    for user_id, hashes in unused.items():
        op.execute(users.update().where(users.c.id == user_id).values(recovery_codes=hashes))
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.alter_column('recovery_codes', server_default=None)
    op.drop_table('recovery_codes')
    op.create_table('open_sessions',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('session_number', sa.Integer(), nullable=False),
    sa.Column('sid_hash', sa.String(), nullable=False),
    sa.Column('browser', sa.String(), nullable=False),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_open_sessions_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_open_sessions')),
    sa.UniqueConstraint('public_id', name=op.f('uq_open_sessions_public_id')),
    sa.UniqueConstraint('sid_hash', name=op.f('uq_open_sessions_sid_hash'))
    )
    op.create_index('ix_open_sessions_user_id', 'open_sessions', ['user_id'])


def downgrade():
    op.drop_table('open_sessions')
    op.create_table('recovery_codes',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('code_hash', sa.String(), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_recovery_codes_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_codes'))
    )
    op.create_index('ix_recovery_codes_user_id', 'recovery_codes', ['user_id'])
    for user_id, hashes in op.get_bind().execute(sa.select(users.c.id, users.c.recovery_codes).order_by(users.c.id)).all():
        for code_hash in hashes:
            op.execute(codes.insert().values(user_id=user_id, code_hash=code_hash))
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_column('recovery_codes')
