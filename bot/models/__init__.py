"""Every table, in one place to import from: people, their courses, the messages, and what staff must know."""

from bot.models.base import Base, Utc
from bot.models.consent import ConsentEvent, NumberChange, Suppression, Wording
from bot.models.courses import Course, CourseTrainer, EnrolmentRow, Invitation, LessonRow, Task
from bot.models.messages import Inbound, Outbound, OutboundEvent, Pace, Stop, TemplateRow
from bot.models.people import ContactPoint, PersonRow, StaffRole
from bot.models.staffroom import Alert, Audit, CaseMessage, Heartbeat, OfficeCase

__all__ = [
    "Alert",
    "Audit",
    "Base",
    "CaseMessage",
    "ConsentEvent",
    "ContactPoint",
    "Course",
    "CourseTrainer",
    "EnrolmentRow",
    "Heartbeat",
    "Inbound",
    "Invitation",
    "LessonRow",
    "NumberChange",
    "OfficeCase",
    "Outbound",
    "OutboundEvent",
    "Pace",
    "PersonRow",
    "StaffRole",
    "Stop",
    "Suppression",
    "Task",
    "TemplateRow",
    "Utc",
    "Wording",
]
