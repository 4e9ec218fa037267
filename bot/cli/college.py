"""Commands about the college's people: the import, and what staff record of a learner's consent."""

from __future__ import annotations
