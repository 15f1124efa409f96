"""Comments in full: replies, evidence, drafts on the server, deadlines, positions of institutions, ways back in.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-26 14:38:52.742543

"""
from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

SPEAKS = sa.text("speaks_for_institution AND state = 'confirmed'")


def upgrade():
    op.create_table('link_requests',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_requests'))
    )
    op.create_table('comment_drafts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('indicator_id', sa.Integer(), nullable=False),
    sa.Column('client_key', sa.String(), nullable=False),
    sa.Column('typed', sa.JSON(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['indicator_id'], ['indicators.id'], name=op.f('fk_comment_drafts_indicator_id_indicators')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_comment_drafts_registration_id_registrations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_comment_drafts')),
    sa.UniqueConstraint('registration_id', 'indicator_id', name=op.f('uq_comment_drafts_registration_id_indicator_id'))
    )
    with op.batch_alter_table('comment_drafts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_comment_drafts_saved_at'), ['saved_at'], unique=False)

    op.create_table('join_codes',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=False),
    sa.Column('secret_hash', sa.String(), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_join_codes_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_join_codes_registration_id_registrations')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_join_codes')),
    sa.UniqueConstraint('public_id', name=op.f('uq_join_codes_public_id')),
    sa.UniqueConstraint('secret_hash', name=op.f('uq_join_codes_secret_hash'))
    )
    with op.batch_alter_table('join_codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_join_codes_registration_id'), ['registration_id'], unique=False)

    op.create_table('attachments',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('comment_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('pdf', 'png', 'jpeg', 'webp', 'docx', 'xlsx', 'pptx', 'odt', 'ods', name='filekind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('number BETWEEN 1 AND 3', name=op.f('ck_attachments_at_most_three')),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_attachments_comment_id_comments')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_attachments_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_attachments_person_id_people')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_attachments')),
    sa.UniqueConstraint('comment_id', 'number', name=op.f('uq_attachments_comment_id_number')),
    sa.UniqueConstraint('comment_id', 'sha256', name=op.f('uq_attachments_comment_id_sha256')),
    sa.UniqueConstraint('key', name=op.f('uq_attachments_key')),
    sa.UniqueConstraint('public_id', name=op.f('uq_attachments_public_id'))
    )
    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_attachments_person_id'), ['person_id'], unique=False)

    op.create_table('replies',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('section_id', sa.Integer(), nullable=False),
    sa.Column('comment_id', sa.Integer(), nullable=False),
    sa.Column('revision_id', sa.Integer(), nullable=False),
    sa.Column('registration_id', sa.Integer(), nullable=True),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('written_by_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('client_key', sa.String(), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('public_id', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(registration_id IS NULL) <> (written_by_id IS NULL)', name=op.f('ck_replies_of_a_participant_or_of_staff')),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_replies_comment_id_comments')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_replies_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_replies_person_id_people')),
    sa.ForeignKeyConstraint(['registration_id'], ['registrations.id'], name=op.f('fk_replies_registration_id_registrations')),
    sa.ForeignKeyConstraint(['revision_id'], ['revisions.id'], name=op.f('fk_replies_revision_id_revisions')),
    sa.ForeignKeyConstraint(['section_id'], ['sections.id'], name=op.f('fk_replies_section_id_sections')),
    sa.ForeignKeyConstraint(['written_by_id'], ['users.id'], name=op.f('fk_replies_written_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_replies')),
    sa.UniqueConstraint('public_id', name=op.f('uq_replies_public_id')),
    sa.UniqueConstraint('registration_id', 'client_key', name=op.f('uq_replies_registration_id_client_key')),
    sa.UniqueConstraint('written_by_id', 'client_key', name=op.f('uq_replies_written_by_id_client_key'))
    )
    with op.batch_alter_table('replies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_replies_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_replies_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_replies_person_id'), ['person_id'], unique=False)

    op.add_column('comments', sa.Column('against', sa.String(), nullable=False, server_default=''))
    op.add_column('comments', sa.Column('proposed_language', sa.String(), nullable=False, server_default=''))
    op.add_column('registrations', sa.Column('speaks_for_institution', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index('uq_registrations_event_id_institution_id_speaks', 'registrations', ['event_id', 'institution_id'], unique=True, sqlite_where=SPEAKS, postgresql_where=SPEAKS)
    op.add_column('sections', sa.Column('comments_until', sa.DateTime(timezone=True), nullable=True))



def downgrade():
    op.drop_column('sections', 'comments_until')
    op.drop_index('uq_registrations_event_id_institution_id_speaks', 'registrations')
    op.drop_column('registrations', 'speaks_for_institution')
    op.drop_column('comments', 'proposed_language')
    op.drop_column('comments', 'against')

    with op.batch_alter_table('replies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_replies_person_id'))
        batch_op.drop_index(batch_op.f('ix_replies_consultation_id'))
        batch_op.drop_index(batch_op.f('ix_replies_comment_id'))

    op.drop_table('replies')
    with op.batch_alter_table('attachments', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_attachments_person_id'))

    op.drop_table('attachments')
    with op.batch_alter_table('join_codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_join_codes_registration_id'))

    op.drop_table('join_codes')
    with op.batch_alter_table('comment_drafts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_comment_drafts_saved_at'))

    op.drop_table('comment_drafts')
    op.drop_table('link_requests')
