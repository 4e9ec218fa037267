"""The only module that knows Twilio: what it posts to us, what it signs, and how to ask it to send."""

from bot.whatsapp.read import Incoming, Malformed, StatusUpdate, clean, is_status, read_message, read_status
from bot.whatsapp.send import Letter, Outcome, Sends, TwilioSender, signature_is_right

__all__ = [
    "Incoming",
    "Letter",
    "Malformed",
    "Outcome",
    "Sends",
    "StatusUpdate",
    "TwilioSender",
    "clean",
    "is_status",
    "read_message",
    "read_status",
    "signature_is_right",
]
