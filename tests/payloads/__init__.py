"""What Twilio posts, one file for each kind of message: a parameter a line, percent-encoded as on the wire.

The forms follow the captures of twilio-whatsapp.md section 1; people and numbers are made up.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

FOLDER = Path(__file__).parent
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.form")))
STATUSES = tuple(name for name in NAMES if name.startswith("status_"))
MESSAGES = tuple(name for name in NAMES if name not in STATUSES)


def raw(name: str) -> bytes:
    """The body of the request, byte for byte."""
    return (FOLDER / f"{name}.form").read_text(encoding="ascii").strip().replace("\n", "&").encode()


def form(name: str, **changed: str | None) -> dict[str, str]:
    """The parameters, some of them changed, or left out where None."""
    given: dict[str, str | None] = dict(parse_qsl(raw(name).decode(), keep_blank_values=True)) | changed
    return {key: value for key, value in given.items() if value is not None}
