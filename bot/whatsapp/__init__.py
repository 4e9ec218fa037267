"""The only module that knows Twilio: what it posts to us, what it signs, how to ask it to send, and what it keeps."""

from bot.whatsapp.client import ProviderAway
from bot.whatsapp.content import Contents, OnFile, TwilioContents
from bot.whatsapp.errors import Remedy, remedy
from bot.whatsapp.read import Incoming, Malformed, StatusUpdate, clean, is_status, read_message, read_status
from bot.whatsapp.records import Records, SentRecord, TwilioRecords
from bot.whatsapp.send import Letter, Outcome, Sends, TwilioSender, signature_is_right

__all__ = [
    "Contents",
    "Incoming",
    "Letter",
    "Malformed",
    "OnFile",
    "Outcome",
    "ProviderAway",
    "Records",
    "Remedy",
    "Sends",
    "SentRecord",
    "StatusUpdate",
    "TwilioContents",
    "TwilioRecords",
    "TwilioSender",
    "clean",
    "is_status",
    "read_message",
    "read_status",
    "remedy",
    "signature_is_right",
]
