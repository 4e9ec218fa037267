"""Twilio's own records of our messages: to find a lost one, to catch up after an outage, and to have copies deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any, Protocol

import structlog
from twilio.rest import Client

from bot.whatsapp.client import TIMEOUT_S, HttpClient, ProviderAway, ask
from bot.whatsapp.read import PREFIX, Incoming, Malformed, StatusUpdate, read_message

CLOCKS_DIFFER = timedelta(seconds=30)  # Twilio's from ours; its dates have no fractions either
MOST_TO_ONE = 200  # messages to one recipient within the minutes of a look-up: far more than pacing allows
PAGE = 200
GONE = 20404  # Twilio's own word: a bare 404 may come from anything that stands between us, and tells of no message
NOT_YET = 409, 20009  # the status and the code
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SentRecord:
    """One message of ours as Twilio keeps it; of a template `body` is the text filled in. Times are aware and UTC."""

    sid: str
    body: str
    status: str
    error_code: int | None
    created_at: datetime
    sent_at: datetime | None = None


class Records(Protocol):
    """Whoever keeps the channel's own records. Every method raises ProviderAway where there is no usable answer."""

    def sent_to(self, address: str, since: datetime) -> tuple[SentRecord, ...]: ...
    def news_of(self, sid: str) -> StatusUpdate | None: ...
    def inbound_since(self, since: datetime) -> Iterator[tuple[Incoming, datetime]]: ...
    def delete(self, sid: str) -> bool: ...
    def redact(self, sid: str) -> bool: ...
    def delete_media(self, sid: str) -> int: ...


class TwilioRecords:
    """The records of our one sender, through Twilio's library; any number of threads may use it at once."""

    def __init__(self, account_sid: str, auth_token: str, sender: str, api_url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._sender, self._api_url = sender, api_url.rstrip("/")
        self._client = Client(account_sid, auth_token, http_client=HttpClient(api_url, timeout_s))

    def sent_to(self, address: str, since: datetime) -> tuple[SentRecord, ...]:
        """Our messages to this address (E.164 or business-scoped id) made from `since` on, oldest first.

        From half a minute before, since clocks differ. Twilio is not asked to filter by time: it goes by the date of
        sending, and a message that still waits has none. Raises ProviderAway.
        """
        find = partial(self._client.messages.list, to=f"{PREFIX}{address}", from_=self._sender, limit=MOST_TO_ONE)
        found = ask(lambda: [_sent(one) for one in find()])
        wanted = (one for one in reversed(found) if one.created_at >= since - CLOCKS_DIFFER)
        return tuple(sorted(wanted, key=attrgetter("created_at")))

    def news_of(self, sid: str) -> StatusUpdate | None:
        """How this message stands, or None: Twilio has none of that name. Raises ProviderAway."""
        try:
            return ask(lambda: _news(self._client.messages(sid).fetch()))
        except ProviderAway as away:
            if away.code == GONE:
                return None
            raise

    def inbound_since(self, since: datetime) -> Iterator[tuple[Incoming, datetime]]:
        """What people wrote to us from `since` on, with when Twilio got it, oldest first.

        From half a minute before, since clocks differ: some may be known already. Twilio lists the newest first, so all
        pages are read before the first message is given; the files of each are asked for as it is given. Of places, taps
        and quotes Twilio's record holds the words alone, so that a place comes as `empty`. Raises ProviderAway.
        """
        # A date, not a moment: Twilio's pages promise no more of this filter. The rest is sorted out here.
        day = (since - CLOCKS_DIFFER).astimezone(UTC).date()
        find = partial(self._client.messages.list, to=self._sender, date_sent_after=day, page_size=PAGE)
        found = ask(lambda: [(_moment(one.date_created), one) for one in find() if _text(one.direction) == "inbound"])
        wanted = [(moment, one) for moment, one in reversed(found) if moment >= since - CLOCKS_DIFFER]
        return self._read(sorted(wanted, key=itemgetter(0)))

    def delete(self, sid: str) -> bool:
        """Have Twilio's record of a message deleted: True when it is gone, False while delivery is not over (20009)."""
        return _done(self._client.messages(sid).delete)

    def redact(self, sid: str) -> bool:
        """Have the text in Twilio's record blanked: True when it is blank or gone, False while delivery is not over."""
        return _done(partial(self._client.messages(sid).update, body=""))

    def delete_media(self, sid: str) -> int:
        """Have Twilio's copies of a message's files deleted; how many are gone by this. Raises ProviderAway."""
        return sum(self._delete_file(sid, one.sid) for one in self._files(sid))

    def _delete_file(self, sid: str, file_sid: str) -> bool:
        if _done(self._client.messages(sid).media(file_sid).delete):
            return True
        raise ProviderAway(*NOT_YET)

    def _files(self, sid: str) -> list[Any]:
        """The files of a message: none if Twilio has no such message."""
        try:
            return ask(lambda: [one for one in self._client.messages(sid).media.list() if _text(one.sid)])
        except ProviderAway as away:
            if away.code == GONE:
                return []
            raise

    def _read(self, found: Iterable[tuple[datetime, Any]]) -> Iterator[tuple[Incoming, datetime]]:
        for moment, record in found:
            try:
                yield read_message(self._form(record)), moment
            except Malformed as error:  # nothing that we could answer; the webhook refuses it likewise
                log.warning("records.malformed", sid=record.sid, because=str(error))

    def _form(self, record: Any) -> dict[str, str]:
        """The webhook that Twilio would have posted, as far as its record knows: so both are read by the same rules."""
        files = self._files(record.sid) if record.num_media not in (None, "", "0") else []
        form = {
            "MessageSid": record.sid or "",
            "From": record.from_ or "",
            "Body": record.body or "",
            "NumMedia": str(len(files)),
        }
        for place, file in enumerate(files):
            form[f"MediaUrl{place}"] = self._api_url + str(file.uri).removesuffix(".json")
            form[f"MediaContentType{place}"] = file.content_type or ""
        return form


def _done(change: Any) -> bool:
    """True when it was done or there is nothing left to do it to; False while Twilio is not through with the message."""
    try:
        ask(change)
    except ProviderAway as away:
        if away.code == GONE:
            return True
        if {away.status, away.code} & set(NOT_YET):
            return False
        raise
    return True


def _news(message: Any) -> StatusUpdate:
    return StatusUpdate(_text(message.sid), _text(message.status).lower(), _code(message.error_code))


def _sent(message: Any) -> SentRecord:
    sent_at = message.date_sent if isinstance(message.date_sent, datetime) else None
    news = _news(message)
    return SentRecord(news.sid, message.body or "", news.status, news.error_code, _moment(message.date_created), sent_at)


def _moment(value: object) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError("a record without its date")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("a record that lacks what every record has")
    return value


def _code(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
