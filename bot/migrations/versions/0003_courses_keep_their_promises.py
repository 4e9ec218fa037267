"""Courses keep their promises: lessons that change, notices, reminders as people want them, opportunities, check-ins."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

import bot.models.base

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "opportunity",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("more", sa.String(), nullable=False),
        sa.Column("courses", sa.JSON(), nullable=False),
        sa.Column("cohorts", sa.JSON(), nullable=False),
        sa.Column("interests", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("author_email", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("approved_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("release_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("recalled_by", sa.String(), nullable=True),
        sa.Column("recalled_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("best_before", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("plan_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("ended_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["person.id"], name=op.f("fk_opportunity_author_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opportunity")),
        sa.UniqueConstraint("code", name=op.f("uq_opportunity_code")),
    )
    with op.batch_alter_table("opportunity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_opportunity_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_opportunity_plan_at"), ["plan_at"], unique=False)

    op.create_table(
        "check_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.Integer(), nullable=False),
        sa.Column("planned_at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("answered_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name=op.f("fk_check_in_course_id_course")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_check_in_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("person_id", "course_id", "week", name=op.f("uq_check_in_person_id_course_id_week")),
    )
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_in_course_id"), ["course_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_person_id"), ["person_id"], unique=False)

    op.create_table(
        "interest",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_interest_person_id_person")),
        sa.PrimaryKeyConstraint("person_id", "topic", name=op.f("pk_interest")),
    )
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("lesson_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", bot.models.base.Utc(timezone=True), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("called_at", bot.models.base.Utc(timezone=True), nullable=True),
        sa.Column("phoneless", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lesson.id"], name=op.f("fk_notice_lesson_id_lesson")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notice_lesson_id"), ["lesson_id"], unique=False)

    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hour_before", sa.Boolean(), nullable=False, server_default=sa.false()))

    with op.batch_alter_table("lesson", schema=None) as batch_op:
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("cancelled_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("listed", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("planned_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.create_index("ix_lesson_to_plan", ["planned_at", "starts_at"], unique=False)

    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plan", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("urgent_from", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("lesson_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("lesson_version", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("notice_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("opportunity_id", sa.Integer(), nullable=True))
        batch_op.create_index("ix_outbound_next", ["state", "priority", "due_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_lesson_id"), ["lesson_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_notice_id"), ["notice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbound_opportunity_id"), ["opportunity_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_outbound_lesson_id_lesson"), "lesson", ["lesson_id"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_outbound_opportunity_id_opportunity"), "opportunity", ["opportunity_id"], ["id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_outbound_notice_id_notice"), "notice", ["notice_id"], ["id"])

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plan_at", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("reminders", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("quiet_until", bot.models.base.Utc(timezone=True), nullable=True))
        batch_op.create_index("ix_person_plan_at", ["plan_at", "id"], unique=False)

    person = sa.table("person", sa.column("plan_at", bot.models.base.Utc(timezone=True)))
    op.execute(person.update().values(plan_at=datetime(1970, 1, 1, tzinfo=UTC)))  # planning looks at everybody once
    outbound = sa.table("outbound", sa.column("plan", sa.String()), sa.column("template", sa.String()))
    for plan, template in (("first_message", "first_message"), ("invitation", "group_invitation")):
        op.execute(outbound.update().where(outbound.c.template == template).values(plan=plan))


def downgrade() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index("ix_person_plan_at")
        for column in ("quiet_until", "reminders", "plan_at"):
            batch_op.drop_column(column)

    with op.batch_alter_table("outbound", schema=None) as batch_op:
        batch_op.drop_index("ix_outbound_next")
        for table in ("lesson", "notice", "opportunity"):
            batch_op.drop_constraint(batch_op.f(f"fk_outbound_{table}_id_{table}"), type_="foreignkey")
            batch_op.drop_index(batch_op.f(f"ix_outbound_{table}_id"))
        for column in ("opportunity_id", "notice_id", "lesson_version", "lesson_id", "urgent_from", "plan"):
            batch_op.drop_column(column)

    with op.batch_alter_table("lesson", schema=None) as batch_op:
        batch_op.drop_index("ix_lesson_to_plan")
        for column in ("planned_at", "listed", "cancelled_at", "version"):
            batch_op.drop_column(column)

    with op.batch_alter_table("course", schema=None) as batch_op:
        batch_op.drop_column("hour_before")

    with op.batch_alter_table("notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_notice_lesson_id"))
    op.drop_table("notice")
    op.drop_table("interest")
    with op.batch_alter_table("check_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_in_person_id"))
        batch_op.drop_index(batch_op.f("ix_check_in_course_id"))
    op.drop_table("check_in")
    with op.batch_alter_table("opportunity", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_opportunity_plan_at"))
        batch_op.drop_index(batch_op.f("ix_opportunity_author_id"))
    op.drop_table("opportunity")
