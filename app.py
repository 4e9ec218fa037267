"""Puts the service together: the only place that knows everybody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime

from flask import Flask
from sqlalchemy.orm import Session

from actions import HANDLERS
from bot import cli, clock, health, pages, webhook
from bot.apply import Staffroom
from bot.calendar import is_bank_holiday
from bot.chores import chores
from bot.conversation import Mind, Room
from bot.database import open_database
from bot.documents import load_documents
from bot.hours import read_hours
from bot.lexicons import load_lexicon
from bot.logs import set_up_logs
from bot.mail import NoMail, SmtpMail
from bot.outbox import Draft
from bot.planning import links_under
from bot.planning.forecast import forecast
from bot.settings import ROOT, Settings, SettingsError, read_settings
from bot.suppression import Keyed
from bot.template_files import load_templates
from bot.terms import Terms
from bot.texts import FOLDER, load_texts
from bot.whatsapp import TwilioContents, TwilioRecords, TwilioSender
from bot.worker import Post, Worker
from nlu.client import rasa_client
from nlu.thresholds import load_thresholds


def create_app(settings: Settings | None = None) -> Flask:
    """The web process, with every command of `flask --app app`. Ends with the reasons when the environment is not right."""
    set_up_logs()
    try:
        settings = settings or read_settings()
    except SettingsError as error:
        sys.exit(f"The environment is not right:\n{error}")
    clock.follow(settings.moved_clock)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = webhook.LARGEST_FORM
    db = open_database(settings.database_url)
    lexicon = load_lexicon(ROOT / "data" / "safety")
    nlu = rasa_client(settings.nlu_urls, settings.nlu_token.get_secret_value())
    mind = Mind(HANDLERS, nlu.parse, load_thresholds(ROOT / "nlu" / "thresholds.yml"), lexicon)
    texts = load_texts(FOLDER) if settings.app_env == "demo" else load_texts(FOLDER).reviewed()
    keyed = Keyed.read(settings.suppression_key.get_secret_value())
    hours = read_hours(settings.group_hours, settings.quiet_days, is_bank_holiday)
    terms = Terms(load_templates(), keyed, hours, settings.reach_limit, settings.weeks)
    documents = load_documents()
    links = links_under(settings.public_url, documents)
    room = Room(db, mind, texts, Staffroom(settings.contacts, bool(settings.alert_smtp_url)), terms, links.rules)
    app.register_blueprint(webhook.make_blueprint(webhook.Door(settings, db, lexicon, terms)))
    app.register_blueprint(health.make_blueprint(db, nlu.ready, frozenset(HANDLERS)))
    app.register_blueprint(pages.make_blueprint(documents, texts))
    sender, contents, records = _twilio(settings)
    mail = SmtpMail(settings.alert_smtp_url) if settings.alert_smtp_url else NoMail()
    post = Post(sender, mail, settings.public_url)
    worker = Worker(room, post, clock.now, chores(room, records, contents, links))

    def planned(session: Session, now: datetime, until: datetime) -> Iterator[Draft]:
        return forecast(session, terms, links, now, until)

    demo = settings.app_env == "demo"
    cli.add_commands(app.cli, cli.Tools(db, room, worker, contents, records, demo, planned))
    return app


def _twilio(settings: Settings) -> tuple[TwilioSender, TwilioContents, TwilioRecords]:
    """Twilio as we send through it, as it keeps our templates, and as it remembers messages."""
    account, token, url = settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_api_url
    ours = settings.twilio_whatsapp_from
    sender, records = TwilioSender(account, token, ours, url), TwilioRecords(account, token, ours, url)
    return sender, TwilioContents(account, token, url), records
