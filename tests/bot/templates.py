"""Templates that WhatsApp has approved, for the tests of what is sent by them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.models import TemplateRow
from tests.bot.rooms import TERMS


def ready(session: Session, name: str, now: datetime, **given: str) -> str:
    """This template is approved, as ours is now; its ContentSid. `status` or `category` may say otherwise."""
    template = TERMS.templates.find(name, "en")
    known = {"status": "approved", "category": template.category, **given}
    sid = f"HX{len(name):032d}"
    session.add(TemplateRow(name=name, language="en", version=template.version, content_sid=sid, checked_at=now, **known))
    return sid
