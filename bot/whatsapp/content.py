"""Templates at Twilio: made through its Content API, handed to WhatsApp, and what WhatsApp says of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from bot.templates import Template
from bot.whatsapp.client import TIMEOUT_S, HttpClient, ask

PAGE = 100
UNSUBMITTED = "unsubmitted"


@dataclass(frozen=True, slots=True)
class OnFile:
    """A Content resource as Twilio keeps it, with WhatsApp's word on it: its status, its category, and why not."""

    sid: str
    friendly_name: str
    status: str = UNSUBMITTED
    category: str = ""
    because: str = ""


class Contents(Protocol):
    """Whoever keeps the templates. Every method raises ProviderAway where there is no usable answer."""

    def every(self) -> tuple[OnFile, ...]: ...
    def create(self, template: Template) -> OnFile: ...
    def submit(self, sid: str, template: Template) -> OnFile: ...


class TwilioContents:
    """The Content resources of our account, through Twilio's library; any number of threads may use it at once."""

    def __init__(self, account_sid: str, auth_token: str, api_url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._api = Client(account_sid, auth_token, http_client=HttpClient(api_url, timeout_s)).content.v1

    def every(self) -> tuple[OnFile, ...]:
        """All resources, ours and others, with WhatsApp's word on each. Raises ProviderAway."""
        return ask(lambda: tuple(_on_file(one) for one in self._api.content_and_approvals.list(page_size=PAGE)))

    def create(self, template: Template) -> OnFile:
        """Make a resource of this version. A second call makes a second one: look at `every` first. Raises ProviderAway."""
        wanted = ContentList.ContentCreateRequest(
            {
                "friendly_name": template.friendly_name,
                "language": template.language,
                "variables": template.samples,
                "types": _types(template),
            }
        )
        return OnFile(ask(lambda: _text(self._api.contents.create(wanted).sid)), template.friendly_name)

    def submit(self, sid: str, template: Template) -> OnFile:
        """Hand a resource to WhatsApp under our category; its word comes within minutes to two days. Raises ProviderAway.

        A resource that was handed in before is refused with 92009.
        """
        asked = {"name": template.friendly_name, "category": template.category}
        wanted = ApprovalCreateList.ContentApprovalRequest(asked)
        answer = ask(lambda: vars(self._api.contents(sid).approval_create.create(wanted)))
        return _approved(OnFile(sid, template.friendly_name), answer)


def _types(template: Template) -> dict[str, object]:
    if not template.replies:
        return {"twilio/text": {"body": template.body}}
    actions = [{"type": "QUICK_REPLY", "title": one.title, "id": one.id} for one in template.replies]
    return {"twilio/quick-reply": {"body": template.body, "actions": actions}}


def _on_file(record: Any) -> OnFile:
    approval = record.approval_requests
    found = OnFile(_text(record.sid), record.friendly_name or "")
    return _approved(found, approval) if isinstance(approval, dict) else found


def _approved(found: OnFile, approval: Mapping[str, Any]) -> OnFile:
    status = str(approval.get("status") or UNSUBMITTED).lower()
    category = str(approval.get("category") or "").upper()
    return OnFile(found.sid, found.friendly_name, status, category, str(approval.get("rejection_reason") or ""))


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a resource without its name")
    return value
