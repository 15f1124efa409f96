"""signing by several: order, deputies, passkeys, rounds

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-26 15:00:00

"""
from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade():
    op.create_table('delegations',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('principal_id', sa.Integer(), nullable=False),
    sa.Column('deputy_id', sa.Integer(), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_by_id', sa.Integer(), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_delegations_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['deputy_id'], ['users.id'], name=op.f('fk_delegations_deputy_id_users')),
    sa.ForeignKeyConstraint(['principal_id'], ['users.id'], name=op.f('fk_delegations_principal_id_users')),
    sa.ForeignKeyConstraint(['revoked_by_id'], ['users.id'], name=op.f('fk_delegations_revoked_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_delegations')),
    sa.UniqueConstraint('public_id', name=op.f('uq_delegations_public_id'))
    )
    with op.batch_alter_table('delegations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_delegations_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_delegations_deputy_id'), ['deputy_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_delegations_principal_id'), ['principal_id'], unique=False)

    op.create_table('passkeys',
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('credential_id', sa.String(), nullable=False),
    sa.Column('public_key', sa.String(), nullable=False),
    sa.Column('transports', sa.JSON(), nullable=False),
    sa.Column('sign_count', sa.Integer(), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_passkeys_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkeys')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_passkeys_credential_id')),
    sa.UniqueConstraint('public_id', name=op.f('uq_passkeys_public_id'))
    )
    with op.batch_alter_table('passkeys', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkeys_user_id'), ['user_id'], unique=False)

    op.create_table('passkey_challenges',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('user_id', sa.Integer(), nullable=False),
    sa.Column('challenge', sa.String(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_passkey_challenges_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_passkey_challenges')),
    sa.UniqueConstraint('challenge', name=op.f('uq_passkey_challenges_challenge'))
    )
    with op.batch_alter_table('passkey_challenges', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_passkey_challenges_user_id'), ['user_id'], unique=False)

    with op.batch_alter_table('focal_points', schema=None) as batch_op:
        batch_op.add_column(sa.Column('role', sa.Enum('lead', 'co_signing', name='signatoryrole', native_enum=False, create_constraint=True, length=32), nullable=False, server_default='co_signing'))
        batch_op.add_column(sa.Column('order_number', sa.Integer(), nullable=False, server_default='0'))

    with op.batch_alter_table('memberships', schema=None) as batch_op:
        batch_op.add_column(sa.Column('wants_digest', sa.Boolean(), nullable=False, server_default=sa.true()))

    with op.batch_alter_table('sections', schema=None) as batch_op:
        batch_op.add_column(sa.Column('round', sa.Integer(), nullable=False, server_default='1'))
        batch_op.add_column(sa.Column('frozen_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('signing_order', sa.Enum('parallel', 'in_order', name='signingorder', native_enum=False, create_constraint=True, length=32), nullable=False, server_default='parallel'))

    with op.batch_alter_table('sign_offs', schema=None) as batch_op:
        batch_op.add_column(sa.Column('principal_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('principal_name', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('delegation_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_sign_offs_principal_id_users'), 'users', ['principal_id'], ['id'])
        batch_op.create_foreign_key(batch_op.f('fk_sign_offs_delegation_id_delegations'), 'delegations', ['delegation_id'], ['id'])

    with op.batch_alter_table('withdrawals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('user_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_withdrawals_user_id_users'), 'users', ['user_id'], ['id'])


def downgrade():
    with op.batch_alter_table('withdrawals', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_withdrawals_user_id_users'), type_='foreignkey')
        batch_op.drop_column('user_id')

    with op.batch_alter_table('sign_offs', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_sign_offs_delegation_id_delegations'), type_='foreignkey')
        batch_op.drop_constraint(batch_op.f('fk_sign_offs_principal_id_users'), type_='foreignkey')
        batch_op.drop_column('delegation_id')
        batch_op.drop_column('principal_name')
        batch_op.drop_column('principal_id')

    with op.batch_alter_table('sections', schema=None) as batch_op:
        batch_op.drop_constraint('signingorder', type_='check')
        batch_op.drop_column('signing_order')
        batch_op.drop_column('frozen_at')
        batch_op.drop_column('round')

    with op.batch_alter_table('memberships', schema=None) as batch_op:
        batch_op.drop_column('wants_digest')

    with op.batch_alter_table('focal_points', schema=None) as batch_op:
        batch_op.drop_constraint('signatoryrole', type_='check')
        batch_op.drop_column('order_number')
        batch_op.drop_column('role')

    op.drop_table('passkey_challenges')
    op.drop_table('passkeys')
    op.drop_table('delegations')
