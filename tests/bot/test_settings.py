"""The environment, read once: the demo needs no setting, production insists on some, and what is wrong is named."""

from __future__ import annotations

import pytest

from bot.settings import DEMO, OFFICIAL_SENDER, ROOT, SECRETS, Contact, Settings, SettingsError, read_contacts, read_settings
from bot.terms import CHECK_IN_WEEKS

PRODUCTION = {
    "APP_ENV": "production",
    "PUBLIC_URL": "https://bot.example",
    "DATABASE_URL": "postgresql+psycopg://e4a:hidden@db.example/e4a",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "hidden-token",
    "NLU_TOKEN": "hidden-nlu",
    "SECRET_KEY": "hidden-key",
    "SUPPRESSION_KEY": "hidden-suppression",
    "SAFEGUARDING_CONTACTS": "Farah Malik <farah@example.org> +447700900990",
}


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is set on this machine, these tests begin with nothing."""
    for name in Settings.model_fields:
        for spelt in (name, name.upper()):
            monkeypatch.delenv(spelt, raising=False)


def read(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return read_settings()


def complaint(monkeypatch: pytest.MonkeyPatch, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(monkeypatch, **environment)
    return str(caught.value)


def test_the_demo_needs_no_setting_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    assert settings.app_env == "demo"
    assert settings.database_url == f"sqlite:///{ROOT}/var/e4a.db"
    assert (settings.web_port, settings.nlu_port, settings.simulator_port) == (8000, 5005, 8001)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.twilio_api_url == "http://127.0.0.1:8001"
    assert settings.nlu_urls == ("http://127.0.0.1:5005",)
    assert settings.twilio_whatsapp_from == OFFICIAL_SENDER == "whatsapp:+441254693999"
    assert settings.media_url == f"{ROOT}/var/media"
    assert [contact.name for contact in settings.contacts] == ["Farah Malik", "Owen Price"]
    assert settings.group_hours == "08:00-20:00"
    assert settings.quiet_days == ""
    assert settings.weeks == CHECK_IN_WEEKS == (2, 8, 16, 24)


def test_the_ports_are_followed_by_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, WEB_PORT="18000", NLU_PORT="15005", SIMULATOR_PORT="18001")
    assert settings.public_url == "http://127.0.0.1:18000"
    assert settings.nlu_urls == ("http://127.0.0.1:15005",)
    assert settings.twilio_api_url == "http://127.0.0.1:18001"


def test_an_empty_setting_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, **dict.fromkeys(PRODUCTION, "")) == read(monkeypatch)


def test_production_with_everything_set_starts_and_talks_to_twilio_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, **PRODUCTION)
    assert settings.twilio_api_url == "https://api.twilio.com"
    assert settings.database_url == PRODUCTION["DATABASE_URL"]
    assert settings.contacts == (Contact("Farah Malik", "farah@example.org", "+447700900990"),)


@pytest.mark.parametrize("name", [*(name.upper() for name in SECRETS), "PUBLIC_URL"])
def test_production_has_no_default_for_a_secret(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    assert complaint(monkeypatch, **PRODUCTION | {name: ""}) == f"{name} is missing"


def test_every_secret_of_the_demo_is_asked_for_in_production() -> None:
    assert set(DEMO) == set(SECRETS)


def test_everything_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, APP_ENV="production", TWILIO_WHATSAPP_FROM="whatsapp:+447700900001", FLASK_DEBUG="1")
    assert said.splitlines() == [
        *(f"{name.upper()} is missing" for name in SECRETS),
        "PUBLIC_URL is missing",
        "TWILIO_WHATSAPP_FROM must be whatsapp:+441254693999 in production",
        "FLASK_DEBUG must be off in production",
    ]


def test_production_refuses_another_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = PRODUCTION | {"TWILIO_WHATSAPP_FROM": "whatsapp:+447700900001"}
    assert "TWILIO_WHATSAPP_FROM" in complaint(monkeypatch, **environment)
    assert read(monkeypatch, APP_ENV="demo").twilio_whatsapp_from == "whatsapp:+447700900001"


def test_production_refuses_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complaint(monkeypatch, **PRODUCTION | {"FLASK_DEBUG": "1"}) == "FLASK_DEBUG must be off in production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "staging"),
        ("WEB_PORT", "eighty"),
        ("WEB_PORT", "0"),
        ("NLU_PORT", "65536"),
        ("SIMULATOR_PORT", "-1"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://root:hidden@db.example/e4a"),
        ("DATABASE_URL", "postgresql://e4a:hidden@db.example/e4a"),
        ("PUBLIC_URL", "bot.example"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "ftp://bot.example"),
        ("PUBLIC_URL", "https://bot.example#rc=3"),
        ("PUBLIC_URL", "https://bot.example/?x=1"),
        ("PUBLIC_URL", "https://bot.example:port"),
        ("PUBLIC_URL", "https://[bot"),
        ("TWILIO_API_URL", "api.twilio.com"),
        ("NLU_URL", "localhost:5005"),
        ("NLU_URL", "http://one.example, two.example"),
        ("NLU_URL", ","),
        ("TWILIO_WHATSAPP_FROM", "+441254693999"),
        ("TWILIO_WHATSAPP_FROM", "whatsapp:01254693999"),
        ("TWILIO_WHATSAPP_FROM", "whatsapp:+44 1254 693999"),
        ("ALERT_SMTP_URL", "mail.example"),
        ("ALERT_SMTP_URL", "http://mail.example"),
        ("GROUP_HOURS", "08:00"),
        ("GROUP_HOURS", "20:00-08:00"),
        ("GROUP_HOURS", "08:00-08:00"),
        ("GROUP_HOURS", "8-20"),
        ("GROUP_HOURS", "25:00-26:00"),
        ("GROUP_HOURS", "08:00-20:00+02:00"),
        ("QUIET_DAYS", "sunday"),
        ("QUIET_DAYS", "sundays; bank holidays"),
        ("CHECK_IN_WEEKS", "two"),
        ("CHECK_IN_WEEKS", "2,8,,16"),
        ("CHECK_IN_WEEKS", "2.5"),
        ("CHECK_IN_WEEKS", "0,8"),
        ("CHECK_IN_WEEKS", "-2"),
        ("CHECK_IN_WEEKS", "2,27"),
        ("CHECK_IN_WEEKS", "8,2"),
        ("CHECK_IN_WEEKS", "8,8"),
        ("CHECK_IN_WEEKS", ","),
        ("SAFEGUARDING_CONTACTS", "Farah Malik"),
        ("SAFEGUARDING_CONTACTS", "Farah <farah@example.org>"),
        ("SAFEGUARDING_CONTACTS", "Farah <farah@example.org> 07700900990"),
        ("SAFEGUARDING_CONTACTS", "Farah <farah@> +447700900990"),
        ("SAFEGUARDING_CONTACTS", "Farah <farah@example.org> +447700900990; Owen"),
        ("SAFEGUARDING_CONTACTS", ";"),
        ("FLASK_DEBUG", "perhaps"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = complaint(monkeypatch, **{name: value})
    assert said.startswith(name)
    assert len(said.splitlines()) == 1
    assert "hidden" not in said


def test_two_malformed_settings_are_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = complaint(monkeypatch, PUBLIC_URL="bot.example", NLU_URL="nowhere").splitlines()
    assert [line.partition(" ")[0] for line in said] == ["PUBLIC_URL", "NLU_URL"]


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        ("sqlite:///var/other.db", f"sqlite:///{ROOT}/var/other.db"),
        ("sqlite+pysqlite:///var/other.db", f"sqlite+pysqlite:///{ROOT}/var/other.db"),
        ("sqlite:////srv/e4a.db", "sqlite:////srv/e4a.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://e4a:p%40ss@db.example/e4a", "postgresql+psycopg://e4a:p%40ss@db.example/e4a"),
    ],
)
def test_a_relative_path_is_from_the_projects_root(monkeypatch: pytest.MonkeyPatch, given: str, read_as: str) -> None:
    assert read(monkeypatch, DATABASE_URL=given).database_url == read_as


@pytest.mark.parametrize(
    ("given", "read_as"),
    [("pictures", f"{ROOT}/pictures"), ("/srv/media", "/srv/media"), ("s3://bucket/a", "s3://bucket/a")],
)
def test_the_media_are_kept_in_a_folder_or_at_a_url(monkeypatch: pytest.MonkeyPatch, given: str, read_as: str) -> None:
    assert read(monkeypatch, MEDIA_URL=given).media_url == read_as


def test_the_current_folder_changes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    before = read(monkeypatch)
    monkeypatch.chdir(str(tmp_path))
    assert read(monkeypatch) == before


def test_several_rasa_servers_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, NLU_URL="http://one.example:5005/, http://two.example:5005 ,")
    assert settings.nlu_urls == ("http://one.example:5005", "http://two.example:5005")


@pytest.mark.parametrize(("given", "weeks"), [("2,8,16,24", (2, 8, 16, 24)), (" 1 , 26 ", (1, 26)), ("4", (4,))])
def test_check_in_weeks_are_read_in_their_order(monkeypatch: pytest.MonkeyPatch, given: str, weeks: tuple[int, ...]) -> None:
    assert read(monkeypatch, CHECK_IN_WEEKS=given).weeks == weeks


@pytest.mark.parametrize("given", ["sundays", "bank holidays", "Sundays, bank  holidays"])
def test_quiet_days_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    assert read(monkeypatch, QUIET_DAYS=given).quiet_days == given


def test_contacts_are_read_in_their_order() -> None:
    found = read_contacts(" Farah Malik <farah@example.org> +447700900990 ;Owen Price <owen@example.org> +447700900991;")
    assert found == (
        Contact("Farah Malik", "farah@example.org", "+447700900990"),
        Contact("Owen Price", "owen@example.org", "+447700900991"),
    )


def test_secrets_do_not_show_where_the_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, **PRODUCTION | {"DATABASE_URL": "sqlite:///var/e4a.db"})
    assert "hidden" not in repr(settings)
    assert "hidden" not in str(settings)


def test_the_settings_never_change_once_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch)
    with pytest.raises(ValueError, match="frozen"):
        settings.app_env = "production"
