"""Every table, in one place to import from: people, their courses, the messages, and what staff must know."""

from bot.models.base import Base, Utc
from bot.models.company import CheckIn, Opportunity
from bot.models.consent import ConsentEvent, NumberChange, Suppression, Wording
from bot.models.courses import Course, CourseTrainer, EnrolmentRow, Invitation, LessonRow, Notice, Task
from bot.models.messages import Inbound, Outbound, OutboundEvent, Pace, Stop, TemplateRow
from bot.models.people import ContactPoint, Interest, PersonRow, StaffRole
from bot.models.staffroom import Alert, Audit, CaseMessage, Heartbeat, OfficeCase

__all__ = [
    "Alert",
    "Audit",
    "Base",
    "CaseMessage",
    "CheckIn",
    "ConsentEvent",
    "ContactPoint",
    "Course",
    "CourseTrainer",
    "EnrolmentRow",
    "Heartbeat",
    "Inbound",
    "Interest",
    "Invitation",
    "LessonRow",
    "Notice",
    "NumberChange",
    "OfficeCase",
    "Opportunity",
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
