"""How trainers word an order about a lesson, as patterns: what `bot.orders` reads by, and nothing else. Pure."""

from __future__ import annotations

import re

LONGEST_WORDS = 80  # characters of a place or of a trouble: a template has no room for more
LINK = "@@"  # stands for the link while the words around it are read
URL = re.compile(r"https?://[^\s<>\"\[]+(?:\[[a-z ]+ hidden\])?", re.IGNORECASE)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

# Courtesies, which say nothing of what is ordered.
_THEM = r"(?:them|(?:to )?(?:everyone|everybody|all)|(?:the |my |our |all )*(?:class|group|learners?|students?))"
_MUST = r"(?:(?:i|we)?'?ve got to|(?:i|we)'?ll have to|(?:(?:i|we)\s+)?(?:will have|need|have|want) to)"
_BUSY = r"(?:(?:i'?m|i am)\s+(?:ill|sick|unwell|poorly|stuck)|(?:bad |heavy )?traffic)[^,.;]{0,30}(?=[,.;])"
BEFORE = re.compile(
    r"(?:(?:hi|hiya|hello|hey|dear)(?: there)?|(?:good )?(?:morning|afternoon|evening)(?=,| all| every)|salaam"
    r"|(?:so |very )?sorry|apologies|please|pls|plz|ok|okay|just|urgent|update|fyi|bot|all|everyone|everybody|team|guys"
    rf"|folks|also|to let you know|unfortunately|i'?m afraid|that|so|{_MUST}|{_BUSY}|(?:i'?d|i would) like to"
    rf"|(?P<asked>(?:can|could|will|would) you)|(?:tell|inform|notify|message|warn) {_THEM}|let {_THEM} know)\b[\s,:;.!-]*",
    re.IGNORECASE,
)
AFTER = re.compile(
    r"[\s,:;.!-]*\b(?:please|pls|plz|(?:so |very )?sorry|apologies|thanks|thank you|thx|ta|cheers|everyone|all|guys|folks"
    r"|x{1,3}|asap|ok|okay|unfortunately|i'?m afraid|for the inconvenience|for now|if you can)[\s.,!]*$",
    re.IGNORECASE,
)
QUESTION = re.compile(
    r"(?:is|are|was|will(?! be \d)|has|have|did|does|do|should|shall|may|can|could|would|am|what|whats|what's|when|where"
    r"|who|why|how|if|whether|which|any)\b",
    re.IGNORECASE,
)
EDGES = re.compile(r"^[^\w@]+|[^\w?)\]@/]+$")

DAYS = {
    "tonight": r"(?:tonight|tonite|2nite|tnite|(?:this|today) evening)",
    "today": r"(?:today|2day|this (?:morning|afternoon))",
    "tomorrow": r"(?:tomorrow|tomorow|tommorow|tommorrow|tomorrows|tmrw|tmw|tmoro|2moro|2morrow|tomoz)",
    **{day: rf"(?:(?:next|this|coming) )?{day}" for day in WEEKDAYS},
    "next": r"next(?= (?:class|lesson|session|workshop|one)\b)",
}
DAY = re.compile(
    r"(?:(?<!not )\b(?:for|on|of|from)\s+)?\b(?:" + "|".join(f"(?P<{name}>{words})" for name, words in DAYS.items()) + r")"
    r"(?:'?s)?(?:\s+(?P<part>morning|afternoon|evening|night)(?:'?s)?)?\b",
    re.IGNORECASE,
)

CODE = re.compile(
    r"(?:\b(?:for|of)\s+)?(?<![\w/@-])(?P<code>[a-z]{2,5}\d{1,3}(?:-\d{1,3})?)(?:'s)?(?![\w/-])", re.IGNORECASE
)
NO_CODE = ("room", "rm", "hall", "lab", "floor", "unit", "late", "delay", "by", "block")

_ONE = r"(?:class|lesson|session|workshop)"
_THE = r"(?:(?:the|our|my|this)\s+)?"
_LESSON = rf"{_THE}(?:(?:morning|afternoon|evening)\s+)?{_ONE}"
_REASON = (
    r"(?:[\s,;:.-]+(?:because|becoz|cos|coz|due to|owing to|as|since|(?:there is |there's |stuck in |bad |heavy )?traffic"
    r"|(?:the |my )?(?:bus|train|car|tyre)|(?:i'?m|i am) (?:ill|sick|unwell|poorly|stuck))\b.*)?"
)
NUMBERS = {"five": 5, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60}
_WORD = "|".join(NUMBERS)
_MINS = r"(?:m|min|mins|minute|minutes|minuets|minuts|minits)\b\.?"
_HOURS = (
    r"(?P<hours>an|a|one|two|1|2|3)\s?(?:hours?|hrs?|h)(?P<and_half> and a half)?"
    rf"(?:\s?(?:and )?(?P<more>\d{{1,2}})\s?{_MINS})?"
)
_LONG = (
    rf"(?:(?P<half>half an hour|half hour|half hr)|(?P<quarter>(?:a )?quarter of an hour)|{_HOURS}"
    rf"|(?:(?P<least>\d{{1,4}})\s?(?:-|to|or|/)\s?)?(?P<minutes>\d{{1,4}}|(?:{_WORD})(?:[ -]five)?)(?:\s?{_MINS})?)"
    r"(?![\w:.])"
)
_ABOUT = (
    r"(?:(?:going to be|gonna be|about|around|approx|approximately|roughly|maybe|probably|by|another|at least|just|now)\s+)*"
)
_WHO = (
    rf"(?:(?:i'?m|i am|i'?ll be|i will be|we'?re|we are|we'?ll be|we will be|it'?s|it is|it will be|it'?ll be|it will"
    rf"|{_LESSON}(?:\s+(?:is|will be|will|has been))?|is|will be|will)\s+)?"
)
_START = rf"(?:the start|{_LESSON})"
_LATE = [
    rf"(?:delay|delayed|late|running late)(?:\s+(?:it|{_START}))?\s*[:,]?\s*{_ABOUT}{_LONG}(?:\s+(?:late|delay))?{_REASON}",
    (
        rf"{_WHO}{_ABOUT}(?:(?:running|starting|starts|start|arriving|delayed)\s+)?{_ABOUT}{_LONG}\s+"
        rf"(?:late|behind|delayed|delay|later)(?:\s+(?:for|to|starting|start)(?:\s+{_START})?)?{_REASON}"
    ),
    rf"{_WHO}{_ABOUT}(?:(?:running|starting) late|delayed|late|put back|pushed back|held up)[\s,]+{_ABOUT}{_LONG}{_REASON}",
    rf"(?:push|put)\s+(?:it|{_START})\s+back\s+{_ABOUT}{_LONG}{_REASON}",
    rf"{_WHO}{_ABOUT}(?:delay|late|delayed|running (?:a (?:bit|little) )?late|running behind)(?:\s+{_LESSON})?{_REASON}",
]
_OFF = r"(?:cancelled|canceled|called off|off|not on|not happening|not going ahead|not running)"
_CALL_OFF = r"(?:cancel|cancelling|canceling|call off|calling off|scrap)"
_CANCEL = [  # each with whether a day or a course has to be named beside it
    (rf"{_CALL_OFF}\s+{_LESSON}{_REASON}", False),
    (rf"{_LESSON}\s+(?:(?:is|has been|will be|has to be|must be|needs to be)\s+)?(?:now\s+)?{_OFF}{_REASON}", False),
    (rf"(?:{_CALL_OFF}|cancelled|canceled)(?:\s+it)?(?:\s+{_LESSON}(?:e?s)?)?{_REASON}", True),
    (rf"(?:(?:is|it'?s|it is|has been|will be|must be|has to be)\s+)?{_OFF}{_REASON}", True),
]
_NONE = [rf"(?:there(?:'?s| is| will be)\s+)?no\s+{_ONE}{_REASON}", rf"there won'?t be (?:a|any) {_ONE}{_REASON}"]
_PLACE = rf"(?P<place>(?!{LINK}).{{1,{LONGEST_WORDS}}})"
_IS = r"(?:\s*(?:\b(?:has|been|is|now|will|be|changed?|changes|moved|swapped|switched|to|at|in)\b|[:=-]))"
_IN = r"(?:(?:we'?re|we are|we'?ll be|we will be|it'?s|it is|it will be|is|will be)\s+)"
_TO = r"(?:move|moved|moving|change|changed|switched)"
_MOVED = rf"(?:we(?:'?ve| have|'?re| are|'?ll be| will be)?\s+|{_LESSON}\s+|has\s+)?(?:(?:has|is|have|been)\s+)*"
_WHAT = rf"(?:it\s+|us\s+|{_LESSON}\s+|(?:the\s+)?(?:room|place|venue)\s+)?"
_ROOM = r"(?:(?:the|new|different)\s+)*room"
_NOW = r"(?:\b(?:is|now|will be)\b|[:=-])"
_ROOMS = [  # each with whether the words have to look like a place
    (rf"(?:(?:the|new|different)\s+)*(?:place|venue|location){_IS}*\s+(?!of\b|for\b|please\b){_PLACE}", False),
    (rf"{_ROOM}(?:\s*{_NOW})+\s*(?P<place>[a-z]?\d{{1,3}}[a-z]?)", False),
    (rf"{_ROOM}\s+(?:(?:has|is|been)\s+)*(?:changed?|changes|moved|swapped|switched)\s+(?:to\s+)?{_PLACE}", False),
    (rf"{_ROOM}(?:\s*{_NOW})+\s*{_PLACE}", True),
    (rf"(?:{_IN}|{_LESSON}\s+(?:is\s+|will be\s+)?)?(?:now\s+|meeting\s+)?(?:in|at)\s+{_PLACE}", True),
    (rf"(?:meet|meeting|come)\s+(?:us\s+|me\s+)?(?:in|at|to)\s+{_PLACE}", True),
    (rf"(?:change|move|switch)\s+(?:the\s+)?room\s+to\s+{_PLACE}", False),
    (rf"{_MOVED}{_TO}\s+{_WHAT}(?:to|into)\s+{_PLACE}", True),
    (r"(?:(?:the|new)\s+)*(?P<place>(?:room|rm|hall|lab|studio|suite)\s+[a-z]?\d{1,3}[a-z]?)(?:\s+instead\b.*)?", True),
]
ROOMISH = re.compile(
    r"\b(?:room|rm|hall|lab|library|building|centre|center|floor|canteen|cafe|studio|block|suite|kitchen|reception|church"
    r"|mosque|school|college|theatre|annexe?|campus|house|street|road)\b|^[a-z]{1,3}\d{1,3}[a-z]?$",
    re.IGNORECASE,
)
INSTEAD = re.compile(
    r"[\s,]*\b(?:instead(?:\s+of\b.*)?|not\s+(?:in\s+)?(?:the\s+)?\w+\s?\w*|rather than\b.*|now)$", re.IGNORECASE
)
AROUND_LINK = re.compile(
    rf"(?:(?:the|new|our|join|us|here|online|on|at|via|zoom|teams|google|meet|meeting|class|lesson|session|video|link|url"
    rf"|place|is|has|changed|to|now|for|we|are|we're|use|this|it's)\b[\s:=,-]*)+{LINK}"
    rf"|{LINK}(?:\s+(?:is|the|our|new|for|to|join|class|lesson|session|zoom|teams|meeting|link))+",
    re.IGNORECASE,
)
MEANS_LINK = re.compile(r"\b(?:link|url|place|online|zoom|teams|meet|join)\b", re.IGNORECASE)
_THING = (
    r"(?:the\s+|our\s+)?(?:zoom(?:\s+link)?|teams|google meet|internet|wi-?fi|link|website|power|electricity|sound|heating)"
)
_FAILS = r"(?:work|working|load|loading|connect|connecting|open|opening|crashing|cutting out)"
_TROUBLE = r"(?:technical\s+|tech\s+|a\s+)*(?:problem|problems|trouble|issue|issues|fault)"
_BROKEN = r"(?:(?:\s+(?:is|are|has|have)|'s)*\s+(?:down|not working|broken|gone|off|crashed|failed)"
_TROUBLES = [
    rf"{_TROUBLE}(?:\s+is\b|\s*[:,-])?\s+(?:with\s+(?!my\b))?(?!with\b|is\b)(?P<words>(?!{LINK})\w.{{2,{LONGEST_WORDS}}})",
    rf"(?P<words>{_THING}{_BROKEN}|\s+(?:isn'?t|won'?t|doesn'?t|keeps|not)\s+{_FAILS})(?:\s+(?:at|in)\s+.{{1,40}})?)",
]


def _all(patterns: list[str]) -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


LATE, TROUBLES, NONE = _all(_LATE), _all(_TROUBLES), _all(_NONE)
CANCEL = [(re.compile(pattern, re.IGNORECASE), named) for pattern, named in _CANCEL]
ROOMS = [(re.compile(pattern, re.IGNORECASE), seen) for pattern, seen in _ROOMS]
