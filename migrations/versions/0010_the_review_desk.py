"""drafted and confirmed answers, assignments, search and the comment matrix back in

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-26 16:25:00

"""
import unicodedata

from alembic import op
import sqlalchemy as sa


revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

KINDS = ('accepted', 'accepted_in_part', 'noted', 'noted_not_suited', 'not_accepted', 'out_of_scope', 'duplicate')


def _public():
    return (
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('public_id', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    )


def _set_imports(kinds):
    standing = {check["name"] for check in sa.inspect(op.get_bind()).get_check_constraints("import_drafts")}
    name = "ck_import_drafts_importkind"
    with op.batch_alter_table("import_drafts") as batch_op:
        if name in standing:
            batch_op.drop_constraint(batch_op.f(name), type_="check")
        batch_op.create_check_constraint(batch_op.f(name), f"kind IN ({kinds})")


def _fold(words):
    plain = "".join(c for c in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def _fill_search():
    """As `comments.actions.index` does it for new comments."""
    bind = op.get_bind()
    said = dict(bind.execute(sa.text("SELECT comment_id, response FROM dispositions ORDER BY id")).tuples().all())
    rows = bind.execute(sa.text(
        "SELECT comments.id, indicators.code, comments.text, comments.proposed"
        " FROM comments JOIN indicators ON indicators.id = comments.indicator_id"
    )).all()
    found = [{"id": row.id, "search": _fold(" ".join((row.code, row.text, row.proposed, said.get(row.id, ""))))} for row in rows]
    if found:
        bind.execute(sa.text("UPDATE comments SET search = :search WHERE id = :id"), found)


def upgrade():
    op.create_table('proposed_answers',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('comment_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum(*KINDS, name='dispositionkind', native_enum=False, create_constraint=True, length=32), nullable=False),
    sa.Column('response', sa.String(), nullable=False),
    sa.Column('duplicate_of_id', sa.Integer(), nullable=True),
    sa.Column('written_by_id', sa.Integer(), nullable=False),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    *_public(),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_proposed_answers_comment_id_comments')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_proposed_answers_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['duplicate_of_id'], ['comments.id'], name=op.f('fk_proposed_answers_duplicate_of_id_comments')),
    sa.ForeignKeyConstraint(['written_by_id'], ['users.id'], name=op.f('fk_proposed_answers_written_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proposed_answers')),
    sa.UniqueConstraint('public_id', name=op.f('uq_proposed_answers_public_id'))
    )
    with op.batch_alter_table('proposed_answers', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_proposed_answers_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_proposed_answers_comment_id'), ['comment_id'], unique=False)

    op.create_table('assignments',
    sa.Column('consultation_id', sa.Integer(), nullable=False),
    sa.Column('comment_id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('assigned_by_id', sa.Integer(), nullable=False),
    *_public(),
    sa.ForeignKeyConstraint(['assigned_by_id'], ['users.id'], name=op.f('fk_assignments_assigned_by_id_users')),
    sa.ForeignKeyConstraint(['comment_id'], ['comments.id'], name=op.f('fk_assignments_comment_id_comments')),
    sa.ForeignKeyConstraint(['consultation_id'], ['consultations.id'], name=op.f('fk_assignments_consultation_id_consultations')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_assignments_institution_id_institutions')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignments')),
    sa.UniqueConstraint('public_id', name=op.f('uq_assignments_public_id'))
    )
    with op.batch_alter_table('assignments', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_assignments_consultation_id'), ['consultation_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_assignments_comment_id'), ['comment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_assignments_institution_id'), ['institution_id'], unique=False)

    with op.batch_alter_table('consultations', schema=None) as batch_op:
        batch_op.add_column(sa.Column('needs_second_pair', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('consultations', schema=None) as batch_op:
        batch_op.alter_column('needs_second_pair', server_default=None)
    with op.batch_alter_table('dispositions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('confirmed_by_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_dispositions_confirmed_by_id_users'), 'users', ['confirmed_by_id'], ['id'])
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.add_column(sa.Column('search', sa.String(), server_default='', nullable=False))
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.alter_column('search', server_default=None)
    _fill_search()
    _set_imports("'framework', 'registrations', 'invitations', 'comments'")


def downgrade():
    op.execute("DELETE FROM import_drafts WHERE kind = 'comments'")
    _set_imports("'framework', 'registrations', 'invitations'")
    with op.batch_alter_table('comments', schema=None) as batch_op:
        batch_op.drop_column('search')
    with op.batch_alter_table('dispositions', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_dispositions_confirmed_by_id_users'), type_='foreignkey')
        batch_op.drop_column('confirmed_by_id')
    with op.batch_alter_table('consultations', schema=None) as batch_op:
        batch_op.drop_column('needs_second_pair')
    op.drop_table('assignments')
    op.drop_table('proposed_answers')
