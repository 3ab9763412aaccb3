"""What an administrator may set: a TOML file, over it environment variables `PASSERELLE_…` (`__` between levels)."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, cast
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from bot.errors import ConfigurationError

PREFIX = "PASSERELLE_"


def _zone(name: str) -> str:
    if name not in available_timezones():
        message = "an IANA time zone such as Europe/Paris"
        raise ValueError(message)
    return name


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SlackSettings(_Section):
    """How to reach Slack."""

    bot_token: SecretStr
    app_token: SecretStr = SecretStr("")
    signing_secret: SecretStr = SecretStr("")
    mode: Literal["socket", "http"] = "socket"
    api_url: str = "https://slack.com/api/"
    pace: float = Field(1.0, gt=0, description="messages a second in one channel")
    burst: int = Field(3, ge=1, description="messages in one channel before that pace holds")
    trust_email: tuple[str, ...] = Field(
        (), description="domains of mail whose addresses, verified by Slack, link accounts"
    )

    @model_validator(mode="after")
    def _mode_has_its_secret(self) -> "SlackSettings":
        needed = "app_token" if self.mode == "socket" else "signing_secret"
        if not getattr(self, needed).get_secret_value():
            message = f"{needed} is needed when mode is {self.mode}"
            raise ValueError(message)
        return self


class MatrixSettings(_Section):
    """How to reach a Matrix homeserver, and whom to trust there."""

    homeserver: str
    user_id: str = Field(pattern=r"^@[^:]+:.+$")
    password: SecretStr = SecretStr("")
    access_token: SecretStr = SecretStr("")
    device_id: str = ""
    store_key: SecretStr = SecretStr("")
    allowed_servers: tuple[str, ...] = ()
    trust: Literal["cross_signed", "all"] = "cross_signed"
    reactions: Literal["all", "harmless"] = "all"
    identity_reset: Literal["block", "accept"] = "block"
    pace: float = Field(5.0, gt=0, description="messages a second in one room")
    burst: int = Field(10, ge=1)
    requests_per_second: float = Field(0.0, ge=0, description="all calls together; 0 is unlimited")

    @model_validator(mode="after")
    def _can_log_in(self) -> "MatrixSettings":
        if not self.password.get_secret_value() and not (self.access_token.get_secret_value() and self.device_id):
            message = "password, or access_token with device_id, is needed"
            raise ValueError(message)
        if not self.store_key.get_secret_value():
            message = "store_key is needed: it encrypts the bot's keys at rest"
            raise ValueError(message)
        return self


class DirectorySettings(_Section):
    """How the directory is kept true."""

    confirm_after_days: int = Field(180, ge=7, le=3650, description="until people are asked whether their card is true")
    second_above_rows: int = Field(
        100, ge=0, description="rows that an import in chat may change or close; for more, a second person must agree"
    )


class QuestionSettings(_Section):
    """How questions are asked."""

    joined_seconds: int = Field(30, ge=0, le=600, description="what who asked says so soon after is part of it")


class OpinionSettings(_Section):
    """An OpenAI-compatible endpoint that proposes a choice where routing asks back."""

    url: str = Field(description="up to /v1; https, and its host among allowed_hosts")
    model: str = Field(min_length=1)
    token: SecretStr = SecretStr("")
    allowed_hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _allowed(self) -> "OpinionSettings":
        parts = urlsplit(self.url)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
            message = "url must be https://host/path, without a user or a query"
            raise ValueError(message)
        if parts.hostname not in self.allowed_hosts:
            message = f"url: {parts.hostname} is not among allowed_hosts"
            raise ValueError(message)
        return self


class FilesSettings(_Section):
    """Which files may cross from one side of a question to the other."""

    largest_mb: float = Field(25.0, gt=0, le=500, description="megabytes")
    kinds: tuple[str, ...] = Field((), description="endings of names, such as pdf; empty: documents, pictures, sound")
    scan: tuple[str, ...] = Field((), description="a command that judges a file, whose path is added: 0 lets it cross")
    scan_seconds: float = Field(60.0, gt=0, le=600)


class AgendaSettings(_Section):
    """Which calendars may be subscribed."""

    feeds: tuple[str, ...] = Field(
        (), description="hosts, or all below a domain (.example.org), from which calendars may be fetched"
    )


class BackupSettings(_Section):
    """How backups are sealed."""

    key: SecretStr = Field(description="16 characters or more, kept elsewhere than the backups")


class OperatorSettings(_Section):
    """Where administrators are told what is wrong."""

    alerts: str = Field(
        "", pattern=r"^((slack|matrix|console):\S+)?$", description="slack:C0123 or matrix:!room: the room for alerts"
    )


class HttpSettings(_Section):
    """Where to listen: Slack's HTTP mode, calendar feeds, health; `public_url` is how others reach it."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s/]+.*)?$", description="empty: http://HOST:PORT")] = ""


class Settings(_Section):
    """All settings. A section that is absent, or empty, is None."""

    database_url: str = "sqlite:///passerelle.db"
    data_dir: Path = Path("var")
    language: Literal["fr", "en"] = "fr"
    timezone: Annotated[str, AfterValidator(_zone)] = "Europe/Paris"
    slack: SlackSettings | None = None
    matrix: MatrixSettings | None = None
    opinion: OpinionSettings | None = None
    backup: BackupSettings | None = None
    operator: OperatorSettings = OperatorSettings(alerts="")
    http: HttpSettings = HttpSettings(port=8080)
    files: FilesSettings = FilesSettings(largest_mb=25.0, kinds=(), scan=(), scan_seconds=60.0)
    directory: DirectorySettings = DirectorySettings(confirm_after_days=180, second_above_rows=100)
    questions: QuestionSettings = QuestionSettings(joined_seconds=30)
    agenda: AgendaSettings = AgendaSettings(feeds=())


def load(file: Path | None = None) -> Settings:
    """Read the settings: the file given, else the one `PASSERELLE_CONFIG` names, else `passerelle.toml` if there.

    Raises ConfigurationError, which names the key, the value (never a secret's) and what was expected.
    """
    data = _merged(_read(file), _from_environment())
    for section in _SECTIONS:
        if isinstance(data.get(section), dict) and _blank(section, data[section]):
            del data[section]
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def _read(file: Path | None) -> dict[str, Any]:
    named = file or (Path(os.environ[f"{PREFIX}CONFIG"]) if os.environ.get(f"{PREFIX}CONFIG") else None)
    path = named or Path("passerelle.toml")
    if named is None and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
        raise ConfigurationError(message) from None
    except UnicodeDecodeError:
        message = f"{path}: not UTF-8, as TOML has to be"
        raise ConfigurationError(message) from None
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not TOML: {error}"
        raise ConfigurationError(message) from None


def _from_environment() -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in sorted(os.environ.items()):
        if not name.startswith(PREFIX) or name in (f"{PREFIX}CONFIG", f"{PREFIX}PROFILE"):
            continue
        *levels, last = name.removeprefix(PREFIX).lower().split("__")
        place = data
        for level in levels:
            inner = place.setdefault(level, {})
            if not isinstance(inner, dict):
                message = f"{name}: {level} is a section here and a value in another variable"
                raise ConfigurationError(message)
            place = cast("dict[str, Any]", inner)
        place[last] = _value(last, value)
    return data


_LISTS = frozenset({"allowed_servers", "allowed_hosts", "trust_email", "kinds", "scan", "feeds"})


def _value(name: str, value: str) -> Any:
    return tuple(filter(None, value.replace(",", " ").split())) if name in _LISTS else value


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    out = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _merged(out[key], cast("dict[str, Any]", value)) if both else value
    return out


_SECTIONS: dict[str, type[_Section]] = {
    "slack": SlackSettings,
    "matrix": MatrixSettings,
    "opinion": OpinionSettings,
    "backup": BackupSettings,
    "operator": OperatorSettings,
    "http": HttpSettings,
    "files": FilesSettings,
    "directory": DirectorySettings,
    "questions": QuestionSettings,
    "agenda": AgendaSettings,
}
_ESSENTIAL = {  # what could turn a platform on
    "slack": ("bot_token", "app_token", "signing_secret"),
    "opinion": ("url", "model", "token", "allowed_hosts"),
    "matrix": ("homeserver", "user_id", "password", "access_token", "store_key"),
}


def _blank(name: str, section: dict[str, Any]) -> bool:
    """Whether a section counts as absent: nothing that matters has a value, and no key is misspelt."""
    known = set(section) <= set(_SECTIONS[name].model_fields)
    return known and all(section.get(key) in ("", None, [], ()) for key in _ESSENTIAL.get(name, tuple(section)))


def _explain(error: ValidationError) -> str:
    lines: list[str] = []
    for e in error.errors():
        key = ".".join(str(p) for p in e["loc"])
        if e["type"] == "extra_forbidden":
            lines.append(f"{key}: unknown key; expected {_keys_beside(e['loc'])}")
        elif e["type"] == "missing":
            lines.append(f"{key}: missing")
        elif e["type"] == "model_type":
            lines.append(f"{key}: is not valid: Input should be a table of keys")
        else:
            shown = "" if _secret(key) or isinstance(e["input"], dict) else f" {e['input']!r}"
            lines.append(f"{key}:{shown} is not valid: {e['msg'].removeprefix('Value error, ')}")
    return "; ".join(lines)


def _keys_beside(path: tuple[int | str, ...]) -> str:
    """Return the keys that may stand where an unknown one does."""
    section = _SECTIONS.get(str(path[0]), Settings) if len(path) > 1 else Settings
    return "one of " + ", ".join(section.model_fields)


def _secret(key: str) -> bool:
    return any(word in key for word in ("token", "secret", "password", "store_key", "backup.key", "database_url"))
