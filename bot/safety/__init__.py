"""Rules that need no model: what must be hidden before storage, and what must be heard even when Rasa is down."""

from bot.safety.lexicon import Lexicon
from bot.safety.mask import Masked, mask
from bot.safety.screen import may_mean_all, read_wish, screen

__all__ = ["Lexicon", "Masked", "mask", "may_mean_all", "read_wish", "screen"]
