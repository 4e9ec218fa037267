"""Twilio's JSON: how a message, a file, a Content resource and a page of them are written down. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import urlencode

from simulator.delivery import WHY
from simulator.values import API_VERSION, Account, Content, File, Json, Message

CONTENT_API = "https://content.twilio.com"


def message_uri(account: Account, sid: str) -> str:
    """Where a message is, without host and `.json`."""
    return f"/{API_VERSION}/Accounts/{account.sid}/Messages/{sid}"


def message_json(account: Account, message: Message, files: Sequence[File]) -> Json:
    """A message as the Messages resource shows it."""
    uri = message_uri(account, message.sid)
    return {
        "account_sid": account.sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": _mail_date(message.created_at),
        "date_sent": _mail_date(message.sent_at),
        "date_updated": _mail_date(message.updated_at),
        "direction": "inbound" if message.inbound else "outbound-api",
        "error_code": message.error_code,
        "error_message": WHY.get(message.error_code or 0),
        "from": message.sender,
        "messaging_service_sid": None,
        "num_media": str(sum(not file.deleted for file in files)),
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def file_json(account: Account, file: File) -> Json:
    """A file as the Media resource shows it."""
    return {
        "account_sid": account.sid,
        "content_type": file.content_type,
        "date_created": _mail_date(file.created_at),
        "date_updated": _mail_date(file.created_at),
        "parent_sid": file.message_sid,
        "sid": file.sid,
        "uri": f"{message_uri(account, file.message_sid)}/Media/{file.sid}.json",
    }


def page_json(path: str, query: dict[str, str], rows: Json, following: str | None) -> Json:
    """A page in the older style: relative addresses, and `following` (a token) for the next page or None."""
    size, number = int(query["PageSize"]), int(query.get("Page", 0))
    onward = {**query, "Page": str(number + 1), "PageToken": following} if following else None
    first = {name: value for name, value in query.items() if name != "PageToken"} | {"Page": "0"}
    count = len(next(iter(rows.values())))
    return {
        **rows,
        "end": number * size + max(count - 1, 0),
        "first_page_uri": f"{path}?{urlencode(first)}",
        "next_page_uri": f"{path}?{urlencode(onward)}" if onward else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": None,
        "start": number * size,
        "uri": f"{path}?{urlencode(query)}",
    }


def content_json(account: Account, content: Content) -> Json:
    """A Content resource."""
    url = f"{CONTENT_API}/v1/Content/{content.sid}"
    return {
        "account_sid": account.sid,
        "date_created": _iso_date(content.created_at),
        "date_updated": _iso_date(content.created_at),
        "friendly_name": content.name,
        "language": content.language,
        "links": {"approval_create": f"{url}/ApprovalRequests/whatsapp", "approval_fetch": f"{url}/ApprovalRequests"},
        "sid": content.sid,
        "types": content.types,
        "url": url,
        "variables": content.variables,
    }


def approval_json(content: Content) -> Json:
    """WhatsApp's word on a Content resource; `unsubmitted` before it was asked."""
    approval = content.approval
    return {
        "allow_category_change": True,
        "category": approval.category if approval else "",
        "content_type": next(iter(content.types)),
        "name": approval.name if approval else "",
        "rejection_reason": approval.reason if approval else "",
        "status": approval.status if approval else "unsubmitted",
        "type": "whatsapp",
    }


def content_page_json(path: str, size: int, token: int, contents: list[Json], following: int | None) -> Json:
    """A page in the newer style, with absolute addresses."""

    def url(of: int) -> str:
        return f"{CONTENT_API}{path}?PageSize={size}&PageToken={of}"

    meta = {
        "first_page_url": url(0),
        "key": "contents",
        "next_page_url": url(following) if following is not None else None,
        "page": 0,
        "page_size": size,
        "previous_page_url": None,
        "url": url(token),
    }
    return {"contents": contents, "meta": meta}


def _mail_date(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment else None


def _iso_date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
