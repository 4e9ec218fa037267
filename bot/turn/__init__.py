"""What one turn may know: frozen values, loaded before anything is decided and never changed after.

Every time is aware and in UTC. Handlers in `actions` see these values and nothing else (design section 4).
"""

from bot.turn.values import (
    PENDING_LASTS,
    Agreement,
    Coming,
    Enrolment,
    Heard,
    Lesson,
    Media,
    Message,
    NluAway,
    Order,
    Parse,
    Pending,
    Person,
    Phone,
)
from bot.turn.whole import Turn
from bot.turn.words import (
    CONSENTABLE,
    TAKEN_BACK,
    CheckInOutcome,
    Consentable,
    ConsentState,
    DecidedBy,
    Interest,
    Kind,
    NoticeKind,
    Plan,
    Purpose,
    ReminderChoice,
    Use,
)

__all__ = [
    "CONSENTABLE",
    "PENDING_LASTS",
    "TAKEN_BACK",
    "Agreement",
    "CheckInOutcome",
    "Coming",
    "ConsentState",
    "Consentable",
    "DecidedBy",
    "Enrolment",
    "Heard",
    "Interest",
    "Kind",
    "Lesson",
    "Media",
    "Message",
    "NluAway",
    "NoticeKind",
    "Order",
    "Parse",
    "Pending",
    "Person",
    "Phone",
    "Plan",
    "Purpose",
    "ReminderChoice",
    "Turn",
    "Use",
]
