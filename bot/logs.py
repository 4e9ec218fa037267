"""Structured logs: one line of JSON for each step, with our own ids. Facts, never people (house style 13, D20).

What a library or an exception has to say may hold a number, a name or a text: of those, only the words written in the
program are printed, the kind of the error, and the files and lines it went through.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog
from structlog.typing import ExcInfo

HIDDEN = "…"
PLACE = re.compile(r"%(?:\(\w+\))?[-#0 +]*(?:\*|\d+)?(?:\.\d+)?[a-zA-Z]")
WHERE_VALUES_BEGIN = re.compile(r"[\d:='\"<(\[{]")  # of a sentence that the library put together by itself
LARGEST_SHOWN = 10**7  # a process or an error code; a phone has more digits
DEEPEST, LONGEST = 5, 30  # causes of causes, and calls of each
HOME = Path(__file__).resolve().parent.parent
log = structlog.get_logger(__name__)
Line = dict[str, object]


def set_up_logs() -> None:
    """Log to standard error as JSON: our own steps from `info` up, of libraries warnings and worse, and no values of theirs.

    Ends of the program by an exception, and of threads, are printed in the same way. gunicorn's list of requests stays as
    its operator sets it (off, unless asked for): our addresses hold ids and signed tokens only.
    """
    _log_ours()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithoutValues())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for theirs in logging.getLogger("gunicorn.error").handlers:  # it does not hand its lines on to the root
        theirs.setFormatter(WithoutValues())
    sys.excepthook = _ended
    threading.excepthook = _thread_ended
    warnings.showwarning = _warned


class WithoutValues(logging.Formatter):
    """A library's line as JSON: its own words, and no value that was put into them."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the exception that comes with it."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        line: Line = {"event": words(record), "logger": record.name, "level": record.levelname.lower(), "timestamp": when}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = traced(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def words(record: logging.LogRecord) -> str:
    """What the program says in any case. Of a sentence put together beforehand, what comes before anything like a value."""
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    if not record.args:
        return WHERE_VALUES_BEGIN.split(record.msg, maxsplit=1)[0].strip()
    values: Iterator[object] = iter(() if isinstance(record.args, Mapping) else record.args)
    return PLACE.sub(lambda _: _shown(next(values, None)), record.msg)


def traced(error: BaseException) -> list[Line]:
    """The error and what caused it: kind, the database's own code if any, files and lines; never what the error says."""
    found: list[Line] = []
    one: BaseException | None = error
    while one is not None and len(found) < DEEPEST:
        calls = traceback.extract_tb(one.__traceback__)[-LONGEST:]
        at = [f"{_place(call.filename)}:{call.lineno} {call.name}" for call in calls]
        found.append({"error": type(one).__name__, **_code(one), "at": at})
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return found


def _log_ours() -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(_renders),
            structlog.processors.JSONRenderer(default=_kind),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,  # a test that captures lines must find those of every module
    )


def _renders(exc_info: ExcInfo) -> list[Line]:
    return traced(exc_info[1])


def _kind(value: object) -> str:
    """Of what JSON cannot say, its kind: how it describes itself may hold anything."""
    return f"<{type(value).__name__}>"


def _shown(value: object) -> str:
    if value is None or isinstance(value, bool):
        return str(value)
    return str(value) if isinstance(value, int | float) and abs(value) < LARGEST_SHOWN else HIDDEN


def _code(error: BaseException) -> Line:
    """SQLite's and PostgreSQL's words for what went wrong are short codes that hold no value."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    return {"code": code} if code else {}


def _place(file: str) -> str:
    path = Path(file)
    if "site-packages" in path.parts:
        return "/".join(path.parts[path.parts.index("site-packages") + 1 :])
    return str(path.relative_to(HOME)) if path.is_relative_to(HOME) else path.name


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    log.critical("process.ended", exc_info=error)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    log.critical("thread.ended", exc_info=ended.exc_value)


def _warned(  # noqa: PLR0913, PLR0917 (the shape that Python asks for)
    message: Warning | str,  # noqa: ARG001
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    log.warning("python.warning", kind=category.__name__, at=f"{_place(filename)}:{lineno}")
