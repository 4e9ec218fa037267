"""The outbox and consent whole: templates, wordings, suppression, number changes, invitations, unknown outcomes."""

import sqlalchemy as sa
from alembic import op

import bot.models.base

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stop",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("since", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("until", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("by_callback", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_stop")),
    )
    op.create_table(
        "suppression",
        sa.Column("number_hash", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("since", bot.models.base.Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number_hash", "purpose", name=op.f("pk_suppression")),
    )
    op.create_table(
        "template",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("content_sid", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("checked_at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template")),
        sa.UniqueConstraint("content_sid", name=op.f("uq_template_content_sid")),
        sa.UniqueConstraint("name", "language", "version", name=op.f("uq_template_name_language_version")),
    )
    op.create_table(
        "wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("recorded_at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
        sa.UniqueConstraint("version", "purpose", name=op.f("uq_wording_version_purpose")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_invitation_course_id_course")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_invitation_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("person_id", "course_id", name=op.f("uq_invitation_person_id_course_id")),
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_course_id"), ["course_id"], unique=False)

    op.create_table(
        "number_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("confirmed_at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("done_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("told_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("listed_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_number_change_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_number_change")),
    )
    with op.batch_alter_table("number_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_number_change_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_number_change_value"), ["value"], unique=False)

    with op.batch_alter_table("contact_point", schema=None) as batch_op:
        batch_op.add_column(sa.Column("window_shut_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("unreachable_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("unreachable_code", sa.Integer(), nullable=True))

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("left_group_asked_at", bot.models.base.Utc(timezone=True), nullable=True))

    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tidy_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_inbound_tidy_at"), ["tidy_at"], unique=False)

    with op.batch_alter_table("office_case", schema=None) as batch_op:
        batch_op.alter_column("person_id", existing_type=sa.INTEGER(), nullable=True)

    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.add_column(sa.Column("use", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("urgent", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("template", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("variables", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("media", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("ask", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("tried_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("by_template", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("look_ups", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("retry_of", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("tidy_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.create_index("ix_outbound_reach", ["by_template", "tried_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_retry_of"), ["retry_of"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_tidy_at"), ["tidy_at"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_outbound_retry_of_outbound"), "outbound", ["retry_of"], ["id"])


def downgrade() -> None:
    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_outbound_retry_of_outbound"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_outbound_tidy_at"))
        batch_op.drop_index(batch_op.f("ix_outbound_retry_of"))
        batch_op.drop_index("ix_outbound_reach")
        batch_op.drop_column("tidy_at")
        batch_op.drop_column("retry_of")
        batch_op.drop_column("look_ups")
        batch_op.drop_column("by_template")
        batch_op.drop_column("tried_at")
        batch_op.drop_column("ask")
        batch_op.drop_column("media")
        batch_op.drop_column("variables")
        batch_op.drop_column("template")
        batch_op.drop_column("urgent")
        batch_op.drop_column("use")

    with op.batch_alter_table("office_case", schema=None) as batch_op:
        batch_op.alter_column("person_id", existing_type=sa.INTEGER(), nullable=False)

    with op.batch_alter_table("inbound", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_inbound_tidy_at"))
        batch_op.drop_column("tidy_at")

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_column("left_group_asked_at")

    with op.batch_alter_table("contact_point", schema=None) as batch_op:
        batch_op.drop_column("unreachable_code")
        batch_op.drop_column("unreachable_at")
        batch_op.drop_column("window_shut_at")

    with op.batch_alter_table("number_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_number_change_value"))
        batch_op.drop_index(batch_op.f("ix_number_change_person_id"))

    op.drop_table("number_change")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_course_id"))

    op.drop_table("invitation")
    op.drop_table("wording")
    op.drop_table("template")
    op.drop_table("suppression")
    op.drop_table("stop")
