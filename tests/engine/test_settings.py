"""Settings: a file, the environment over it, and one clear line for whatever is wrong."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ConfigurationError
from config.settings import Settings, load

SLACK = {"PASSERELLE_SLACK__BOT_TOKEN": "xoxb-geheim", "PASSERELLE_SLACK__APP_TOKEN": "xapp-geheim"}
MATRIX = {
    "PASSERELLE_MATRIX__HOMESERVER": "https://example.org",
    "PASSERELLE_MATRIX__USER_ID": "@bot:example.org",
    "PASSERELLE_MATRIX__PASSWORD": "geheim",
    "PASSERELLE_MATRIX__STORE_KEY": "geheim",
}


Env: TypeAlias = Callable[..., None]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder and nothing of ours in the environment."""
    for name in [n for n in os.environ if n.startswith("PASSERELLE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def env(monkeypatch: pytest.MonkeyPatch) -> Env:
    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


def toml(text: str, name: str = "passerelle.toml") -> Path:
    file = Path(name)
    file.write_text(text, "utf-8")
    return file


def refused(file: Path | None = None) -> str:
    """The one line with which these settings are refused."""
    with pytest.raises(ConfigurationError) as told:
        load(file)
    line = str(told.value)
    assert "\n" not in line
    assert "geheim" not in line
    return line


def test_with_nothing_at_all_there_are_defaults() -> None:
    assert load() == Settings()
    assert load().database_url == "sqlite:///passerelle.db"
    assert load().slack is None
    assert load().matrix is None
    assert (load().http.host, load().http.port) == ("127.0.0.1", 8080)


def test_a_file_of_that_name_here_is_read(env: Env) -> None:
    toml('language = "en"\ntimezone = "Europe/Berlin"\ndata_dir = "data"')
    assert (load().language, load().timezone, load().data_dir) == ("en", "Europe/Berlin", Path("data"))


def test_another_file_may_be_named_and_what_is_given_wins(env: Env) -> None:
    toml('language = "fr"')
    env(PASSERELLE_CONFIG=str(toml('language = "en"', "named.toml")))
    assert load().language == "en"
    assert load(toml('timezone = "Asia/Tokyo"', "given.toml")).timezone == "Asia/Tokyo"
    assert load(toml('timezone = "Asia/Tokyo"', "given.toml")).language == "fr"


def test_the_environment_wins_key_by_key(env: Env) -> None:
    toml('language = "en"\n[http]\nhost = "0.0.0.0"\nport = 1')
    env(PASSERELLE_LANGUAGE="fr", PASSERELLE_HTTP__PORT="9000", PASSERELLE_DATABASE_URL="sqlite:///other.db")
    assert load().language == "fr"
    assert (load().http.host, load().http.port) == ("0.0.0.0", 9000)
    assert load().database_url == "sqlite:///other.db"


def test_the_environment_alone_turns_a_platform_on(env: Env) -> None:
    env(
        **SLACK, **MATRIX, PASSERELLE_MATRIX__ALLOWED_SERVERS="example.org, tchap.example", PASSERELLE_SLACK__PACE="2.5"
    )
    slack, matrix = load().slack, load().matrix
    assert slack is not None
    assert slack.bot_token.get_secret_value() == "xoxb-geheim"
    assert slack.pace == 2.5
    assert matrix is not None
    assert matrix.allowed_servers == ("example.org", "tchap.example")


def test_the_environment_completes_what_a_file_begins(env: Env) -> None:
    toml('[slack]\nbot_token = "xoxb-geheim"\nmode = "http"')
    env(PASSERELLE_SLACK__SIGNING_SECRET="geheim")
    slack = load().slack
    assert slack is not None
    assert slack.mode == "http"


@pytest.mark.parametrize(
    "section",
    [
        '[slack]\nbot_token = ""\napp_token = ""\nsigning_secret = ""',
        '[slack]\nbot_token = ""\nmode = "socket"\napi_url = "https://slack.com/api/"',
        '[matrix]\nhomeserver = ""\nuser_id = ""\npassword = ""\nstore_key = ""\nallowed_servers = []',
        '[matrix]\ntrust = "cross_signed"',
        "[slack]\n[matrix]\n[http]",
    ],
)
def test_an_empty_section_counts_as_absent(section: str) -> None:
    toml(section)
    assert load().slack is None
    assert load().matrix is None


def test_empty_variables_are_an_absent_section_too(env: Env) -> None:
    env(PASSERELLE_SLACK__BOT_TOKEN="", PASSERELLE_SLACK__APP_TOKEN="", PASSERELLE_MATRIX__HOMESERVER="")
    env(PASSERELLE_HTTP__HOST="", PASSERELLE_HTTP__PORT="")
    assert load() == Settings()


def test_nought_is_a_value(env: Env) -> None:
    toml("[http]\nport = 0")
    assert load().http.port == 0


def test_an_empty_variable_turns_a_platform_off(env: Env) -> None:
    toml('[slack]\nbot_token = "xoxb-geheim"\napp_token = "xapp-geheim"')
    env(PASSERELLE_SLACK__BOT_TOKEN="", PASSERELLE_SLACK__APP_TOKEN="")
    assert load().slack is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('langage = "fr"', "langage"),
        ("[http]\nports = 1", "http.ports"),
        ('[slack]\nbot_tokn = "geheim"', "slack.bot_tokn"),
        ('[slack]\nbot_token = "geheim"\napp_token = "geheim"\ncolour = "geheim"', "slack.colour"),
        ('[matrix]\nhome_server = "geheim"', "matrix.home_server"),
        ("[calendar]\nx = 1", "calendar"),
    ],
)
def test_an_unknown_key_is_named(text: str, key: str) -> None:
    toml(text)
    line = refused()
    assert f"{key}: unknown key; expected one of " in line
    assert {"http.ports": "port", "matrix.home_server": "homeserver"}.get(key, "") in line.partition("expected")[2]


def test_an_unknown_variable_is_named(env: Env) -> None:
    env(PASSERELLE_SLACK__BOT_TOKN="geheim")
    assert "slack.bot_tokn: unknown key" in refused()


@pytest.mark.parametrize(
    ("text", "key", "value", "expected"),
    [
        ('language = "de"', "language", "'de'", "'fr' or 'en'"),
        ('timezone = "Paris"', "timezone", "'Paris'", "an IANA time zone"),
        ('timezone = "../../etc/passwd"', "timezone", "'../../etc/passwd'", "an IANA time zone"),
        ("[http]\nport = 99999", "http.port", "99999", "less than or equal to 65535"),
        ('[http]\nport = "viele"', "http.port", "'viele'", "integer"),
        ("data_dir = 5", "data_dir", "5", "path"),
        ("database_url = 5", "database_url", "", "string"),
        ('slack = "geheim"', "slack", "", "table"),
        (
            '[slack]\nbot_token = "geheim"\napp_token = "geheim"\nmode = "carrier pigeon"',
            "slack.mode",
            "'carrier pigeon'",
            "'socket' or 'http'",
        ),
        ('[slack]\nbot_token = "geheim"', "slack", "", "app_token is needed when mode is socket"),
        ('[slack]\nbot_token = "geheim"\nmode = "http"', "slack", "", "signing_secret is needed when mode is http"),
        ("[slack]\nbot_token = 5\napp_token = 6", "slack.bot_token", "", "string"),
        (
            '[matrix]\nhomeserver = "h"\nuser_id = "bot"\npassword = "geheim"\nstore_key = "geheim"',
            "matrix.user_id",
            "'bot'",
            "@",
        ),
        (
            '[matrix]\nhomeserver = "h"\nuser_id = "@b:h"\nstore_key = "geheim"',
            "matrix",
            "",
            "password, or access_token with device_id, is needed",
        ),
        ('[matrix]\nhomeserver = "h"\nuser_id = "@b:h"\npassword = "geheim"', "matrix", "", "store_key is needed"),
        ('[matrix]\nuser_id = "@b:h"\npassword = "geheim"', "matrix.homeserver", "", "missing"),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(text: str, key: str, value: str, expected: str) -> None:
    toml(text)
    line = refused()
    assert f"{key}:" in line
    assert value in line
    assert expected in line


def test_everything_that_is_wrong_is_said_at_once() -> None:
    toml('language = "de"\nlangage = "fr"\n[http]\nport = -1')
    line = refused()
    assert all(part in line for part in ("language: 'de'", "langage: unknown key", "http.port: -1"))


@pytest.mark.parametrize(
    "variables",
    [
        {"PASSERELLE_SLACK": "geheim"},
        {"PASSERELLE_SLACK": "geheim", "PASSERELLE_SLACK__BOT_TOKEN": "geheim"},
        {"PASSERELLE_SLACK__BOT_TOKEN": "geheim", "PASSERELLE_SLACK__BOT_TOKEN__X": "geheim"},
        {"PASSERELLE_LANGUAGE__X": "geheim"},
    ],
)
def test_a_variable_at_the_wrong_level_is_named(env: Env, variables: dict[str, str]) -> None:
    env(**variables)
    line = refused()
    assert "slack" in line.lower() or "language" in line


def test_secrets_are_not_in_what_settings_look_like(env: Env) -> None:
    env(**SLACK, **MATRIX, PASSERELLE_DATABASE_URL="postgresql+psycopg://u:geheim@h/d")
    shown = load().model_copy(update={"database_url": ""})
    assert "geheim" not in repr(shown) + str(shown)


@given(
    st.sampled_from(["BOT_TOKEN", "APP_TOKEN", "SIGNING_SECRET"]),
    st.sampled_from(["geheim", "geheim geheim", " geheim"]),
)
def test_a_secret_is_never_printed_whatever_is_wrong_beside_it(secret: str, value: str) -> None:
    with pytest.MonkeyPatch.context() as env:
        env.setenv(f"PASSERELLE_SLACK__{secret}", value)
        env.setenv("PASSERELLE_SLACK__MODE", "neither")
        refused()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'language = "fr', "not TOML"),
        (b"language fr", "not TOML"),
        (b"[slack\nbot_token = 'geheim'", "not TOML"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_toml_is_named(folder: Path, content: bytes, word: str) -> None:
    Path("passerelle.toml").write_bytes(content)
    line = refused()
    assert line.startswith("passerelle.toml: ")
    assert word in line


def test_a_file_that_is_not_there_or_no_file_is_named(env: Env, folder: Path) -> None:
    assert refused(Path("nowhere.toml")) == "nowhere.toml: No such file or directory"
    assert refused(folder) == f"{folder}: Is a directory"
    env(PASSERELLE_CONFIG="elsewhere.toml")
    assert refused() == "elsewhere.toml: No such file or directory"


OPINION = {
    "PASSERELLE_OPINION__URL": "https://modele.example.gouv.fr/v1",
    "PASSERELLE_OPINION__MODEL": "petit-modele",
    "PASSERELLE_OPINION__TOKEN": "geheim",
    "PASSERELLE_OPINION__ALLOWED_HOSTS": "modele.example.gouv.fr",
}


def test_a_second_opinion_is_off_until_its_host_is_allowed(env: Env) -> None:
    assert load().opinion is None
    env(**OPINION)
    own = load().opinion
    assert own is not None
    assert own.allowed_hosts == ("modele.example.gouv.fr",)


@pytest.mark.parametrize(
    "url",
    [
        "http://modele.example.gouv.fr/v1",
        "https://autre.example.org/v1",
        "https://modele.example.gouv.fr@autre.example.org/v1",
        "https://modele.example.gouv.fr.example.org/v1",
        "https:///v1",
        "modele.example.gouv.fr",
    ],
)
def test_a_second_opinion_from_elsewhere_is_refused(env: Env, url: str) -> None:
    env(**{**OPINION, "PASSERELLE_OPINION__URL": url})
    with pytest.raises(ConfigurationError, match="opinion") as error:
        load()
    assert "geheim" not in str(error.value)
