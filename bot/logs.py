"""Structured logs: one line of JSON for each step, with our own ids. Facts, never people (house style 13)."""

from __future__ import annotations

import logging
import sys

import structlog


def set_up_logs() -> None:
    """Log to standard error, as JSON, from `info` up. Of libraries only warnings: their debug lines may hold texts."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
