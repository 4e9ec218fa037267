"""What a Content resource may hold, how WhatsApp judges it as a template, and what it looks like when filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from simulator.values import Approval, Choice, Content, Json, Look, Refused

VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
NEIGHBOURS = re.compile(r"\}\}\s*\{\{")
NAME = re.compile(r"[a-z0-9_]{1,512}")
CATEGORIES = ("UTILITY", "MARKETING", "AUTHENTICATION")
TYPES = ("twilio/text", "twilio/media", "twilio/quick-reply", "twilio/list-picker", "twilio/call-to-action", "twilio/card")
BODIES = ("body", "title")  # a card has a title where the others have a body


def read_types(raw: object) -> dict[str, Json]:
    """The `types` of a new resource without the empty ones that the library sends. Raises Refused on anything unknown."""
    given = {name: value for name, value in raw.items() if value} if isinstance(raw, dict) else {}
    unknown = [name for name in given if name not in TYPES]
    if unknown or not given:
        raise Refused(400, 20001, f"types must hold one of {', '.join(TYPES)}")
    types = {name: {key: one for key, one in value.items() if one is not None} for name, value in given.items()}
    for name, value in types.items():
        _check_type(name, value)
    return types


def _check_type(name: str, value: Json) -> None:
    if not any(value.get(key) for key in BODIES) and name != "twilio/media":
        raise Refused(400, 20001, f"{name} needs a body")
    actions, items = value.get("actions") or [], value.get("items") or []
    if name == "twilio/quick-reply" and not 1 <= len(actions) <= 10:
        raise Refused(400, 20001, "twilio/quick-reply takes 1 to 10 actions")
    if name == "twilio/quick-reply" and any(not 1 <= len(one.get("title") or "") <= 20 for one in actions):
        raise Refused(400, 20001, "the title of a quick reply has 1 to 20 characters")
    if name == "twilio/list-picker" and not 1 <= len(items) <= 10:
        raise Refused(400, 20001, "twilio/list-picker takes 1 to 10 items")


def judge(content: Content, name: str, category: str) -> Approval:
    """WhatsApp's word, which takes minutes to days in earnest. Raises Refused when it cannot be handed in at all."""
    if not NAME.fullmatch(name) or category not in CATEGORIES:
        raise Refused(
            400, 20001, "name takes lower-case letters, digits and _; category is UTILITY, MARKETING or AUTHENTICATION"
        )
    reason = _why_rejected(content)
    return Approval(name, category, "rejected" if reason else "approved", reason)


def _why_rejected(content: Content) -> str:
    if "twilio/list-picker" in content.types:
        return "A list picker cannot be approved; it is for the open window only"
    body = str(_main(content.types)[1].get("body", "")).strip()
    found = list(VARIABLE.finditer(body))
    if found and (found[0].start() == 0 or found[-1].end() == len(body)):
        return "Variables can't be at the start or end of the template"
    if NEIGHBOURS.search(body):
        return "Variables can't be next to each other"
    names = {match[1] for match in found}
    if all(name.isdigit() for name in names) and names != {str(n + 1) for n in range(len(names))}:
        return "Variables are not numbered one after the other"
    if len(VARIABLE.sub(" ", body).split()) < 2 * len(names) + 1:
        return "This template has too many variables for its length"
    return ""


def render(content: Content, given: Mapping[str, str]) -> tuple[Look, str]:
    """What a phone shows, and the address of the file that goes with it ("" for none). Missing values: the samples."""
    values = {**content.variables, **given}
    name, main = _main(content.types)
    text = fill("\n".join(str(main[key]) for key in BODIES if main.get(key)), values)
    media = "".join(main.get("media") or [])
    look = Look(
        text=text,
        buttons=_replies(main, values) if name in ("twilio/quick-reply", "twilio/card") else (),
        items=tuple(_item(one, values) for one in main.get("items", [])),
        items_label=str(main.get("button", "")),
        note="\n".join(_link(one, values) for one in main.get("actions", []) if one.get("url")),
    )
    return look, fill(media, values)


def _item(item: Json, values: Mapping[str, str]) -> Choice:
    return Choice(fill(item["item"], values), item.get("id") or "", item.get("description") or "")


def _link(action: Json, values: Mapping[str, str]) -> str:
    return f"{action.get('title')}: {fill(str(action['url']), values)}"


def _replies(main: Json, values: Mapping[str, str]) -> tuple[Choice, ...]:
    actions = [one for one in main.get("actions", []) if not one.get("url") and not one.get("phone")]
    return tuple(Choice(fill(one["title"], values), fill(str(one.get("id") or ""), values)) for one in actions)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its {{variables}} filled in; one without a value stays as it stands."""
    return VARIABLE.sub(lambda match: values.get(match[1], match[0]), text)


def _main(types: dict[str, Json]) -> tuple[str, Json]:
    """The richest type: WhatsApp shows it and plain text is only for channels that cannot."""
    name = max(types, key=lambda one: one != "twilio/text")
    return name, types[name]
