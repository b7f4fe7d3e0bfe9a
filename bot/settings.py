"""Every setting, validated once at start. `.env` in the working directory is read; the environment wins over it.

A wrong setting stops the start with one line that names the variable and never prints its value.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import ConfigurationError


def _env(name: str) -> AliasChoices:
    return AliasChoices(name)


class Settings(BaseSettings):
    """What an operator can set. The description of each field is what `rahhal run --help` prints."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        populate_by_name=True,
        frozen=True,
        env_ignore_empty=True,
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias=_env("DATABASE_URL"),
        description="PostgreSQL 15 or newer, as a login that may create roles or the prepared owner login. "
        "Absent: an embedded PostgreSQL in the data directory.",
    )
    app_database_url: SecretStr | None = Field(
        None,
        validation_alias=_env("RAHHAL_APP_DATABASE_URL"),
        description="A login for turns only. Absent: DATABASE_URL with SET LOCAL ROLE in every transaction.",
    )
    direct_url: SecretStr | None = Field(
        None,
        validation_alias=_env("RAHHAL_DIRECT_URL"),
        description="A direct connection for migrations and LISTEN when DATABASE_URL goes through a pooler.",
    )
    db_pooler: Literal["", "session", "transaction"] = Field(
        "",
        validation_alias=_env("RAHHAL_DB_POOLER"),
        description="«transaction» behind a transaction-mode pooler.",
    )
    data_dir: Path = Field(
        Path(".rahhal"),
        validation_alias=_env("RAHHAL_DATA_DIR"),
        description="Where the embedded PostgreSQL, pictures and archives live.",
    )
    archive_dir: Path | None = Field(
        None,
        validation_alias=_env("RAHHAL_ARCHIVE_DIR"),
        description="Where months of the behavior log older than a year are moved to, as files; a disk that lasts. Absent: "
        "«archive» in the data directory beside the embedded PostgreSQL; with DATABASE_URL all months stay in the database.",
    )
    host: str = Field("0.0.0.0", validation_alias=_env("RAHHAL_HOST"), description="Address to listen on.")  # noqa: S104 - a server
    port: int = Field(8080, ge=0, le=65535, validation_alias=_env("PORT"), description="Port to listen on.")
    public_url: str | None = Field(
        None,
        validation_alias=_env("PUBLIC_URL"),
        description="The address people reach this server by, https://… ; needed for Telegram's webhook mode and for links.",
    )
    locale: str = Field(
        "ar-EG",
        pattern=r"^[a-z]{2}-[A-Z]{2}$",
        validation_alias=_env("RAHHAL_LOCALE"),
        description="Language and country assumed for a newcomer whose channel says nothing.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", validation_alias=_env("RAHHAL_LOG_LEVEL"), description="How much is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto",
        validation_alias=_env("RAHHAL_LOG_FORMAT"),
        description="«auto»: console on a terminal, JSON elsewhere.",
    )
    demo: bool = Field(
        True,
        validation_alias=_env("RAHHAL_DEMO"),
        description="Fill an empty catalogue with fictional, labelled hotels.",
    )

    telegram_bot_token: SecretStr | None = Field(
        None,
        validation_alias=_env("TELEGRAM_BOT_TOKEN"),
        description="From @BotFather. Set: Telegram is served.",
    )
    telegram_api_url: str = Field(
        "https://api.telegram.org",
        validation_alias=_env("TELEGRAM_API_URL"),
        description="Base of the Bot API, up to and not including /bot<token>.",
    )
    telegram_webhook_secret: SecretStr | None = Field(
        None,
        validation_alias=_env("TELEGRAM_WEBHOOK_SECRET"),
        description="1 to 256 of A-Z a-z 0-9 _ -. Set: webhook mode at PUBLIC_URL/telegram/webhook; absent: long polling.",
    )
    operators_chat: str | None = Field(
        None,
        pattern=r"^-?\d{1,20}$",
        validation_alias=_env("RAHHAL_OPERATORS_CHAT"),
        description="Telegram chat id of the operators: told when a traveler asks for a human.",
    )

    whatsapp_access_token: SecretStr | None = Field(
        None,
        validation_alias=_env("WHATSAPP_ACCESS_TOKEN"),
        description="Cloud API token. All four WHATSAPP_… or none.",
    )
    whatsapp_phone_number_id: str | None = Field(
        None,
        pattern=r"^\d{1,32}$",
        validation_alias=_env("WHATSAPP_PHONE_NUMBER_ID"),
        description="The number's id.",
    )
    whatsapp_app_secret: SecretStr | None = Field(
        None,
        validation_alias=_env("WHATSAPP_APP_SECRET"),
        description="Signs the webhooks (X-Hub-Signature-256).",
    )
    whatsapp_verify_token: SecretStr | None = Field(
        None,
        validation_alias=_env("WHATSAPP_VERIFY_TOKEN"),
        description="Your own word for the webhook handshake.",
    )
    whatsapp_api_url: str = Field(
        "https://graph.facebook.com/v23.0",
        validation_alias=_env("WHATSAPP_API_URL"),
        description="Graph API base with version.",
    )

    whatsapp_number: str | None = Field(
        None,
        pattern=r"^[1-9]\d{6,14}$",
        validation_alias=_env("WHATSAPP_NUMBER"),
        description="The number people write to, with its country code and digits only: for wa.me links.",
    )

    referrer_reward: Decimal = Field(
        Decimal(10),
        ge=0,
        le=1_000_000,
        validation_alias=_env("RAHHAL_REFERRER_REWARD"),
        description="Credit for who invited somebody that booked and stayed (10 since 2026-01-01); 0: none.",
    )
    referred_reward: Decimal = Field(
        Decimal(10),
        ge=0,
        le=1_000_000,
        validation_alias=_env("RAHHAL_REFERRED_REWARD"),
        description="Credit for who came by an invitation, booked and stayed (10 since 2026-01-01); 0: none.",
    )
    referral_bonus: Decimal = Field(
        Decimal(5),
        ge=0,
        le=1_000_000,
        validation_alias=_env("RAHHAL_REFERRAL_BONUS_48H"),
        description="Added for a first booking within 48 hours of coming (5 since 2026-01-01); 0: none.",
    )
    referral_currency: str = Field(
        "USD",
        pattern=r"^[A-Z]{3}$",
        validation_alias=_env("RAHHAL_REFERRAL_CURRENCY"),
        description="The money of these three, an ISO code.",
    )
    referral_monthly_cap: int = Field(
        10,
        ge=0,
        le=1_000_000,
        validation_alias=_env("RAHHAL_REFERRAL_MONTHLY_CAP"),
        description="Rewards one inviter may get in a calendar month; more wait for your decision.",
    )
    referral_daily_joins: int = Field(
        20,
        ge=1,
        le=1_000_000,
        validation_alias=_env("RAHHAL_REFERRAL_DAILY_JOINS"),
        description="People one inviter may bring in a day before their rewards wait for your decision.",
    )
    referral_campaign: str | None = Field(
        None,
        max_length=40,
        pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)*$",
        validation_alias=_env("RAHHAL_REFERRAL_CAMPAIGN"),
        description="A readable beginning of new invitation codes, for example SUMMER-2027.",
    )

    @field_validator("telegram_api_url", "whatsapp_api_url", "public_url")
    @classmethod
    def _is_http(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http(s) URL")
        return value.rstrip("/")

    @field_validator("database_url", "app_database_url", "direct_url")
    @classmethod
    def _is_postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        address = urlsplit(value.get_secret_value())
        if address.scheme not in {"postgres", "postgresql"}:
            raise ValueError("must begin with postgresql://")
        for host in address.netloc.rpartition("@")[2].split(","):
            port = host.rpartition("]")[2].partition(":")[2]
            if port and not (port.isascii() and port.isdigit() and int(port) < 65536):
                raise ValueError("has a port that is no port")
        return value

    @field_validator("telegram_bot_token")
    @classmethod
    def _is_bot_token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            number, _, secret = value.get_secret_value().partition(":")
            if not (number.isascii() and number.isdigit() and secret):
                raise ValueError("must look like 123456:ABC…")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _is_webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            secret = value.get_secret_value()
            if not (
                1 <= len(secret) <= 256 and all(c.isascii() and (c.isalnum() or c in "_-") for c in secret)
            ):
                raise ValueError("must be 1 to 256 characters of A-Z a-z 0-9 _ -")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.db_pooler == "transaction" and self.direct_url is None:
            raise ValueError(
                "RAHHAL_DB_POOLER=transaction needs RAHHAL_DIRECT_URL: LISTEN hears nothing through a pooler"
            )
        if self.database_url is None and (self.app_database_url or self.direct_url):
            raise ValueError(
                "RAHHAL_APP_DATABASE_URL and RAHHAL_DIRECT_URL go with DATABASE_URL, which is missing"
            )
        if self.operators_chat and self.telegram_bot_token is None:
            raise ValueError("RAHHAL_OPERATORS_CHAT is a Telegram chat, which needs TELEGRAM_BOT_TOKEN")
        whatsapp = {
            "WHATSAPP_ACCESS_TOKEN": self.whatsapp_access_token,
            "WHATSAPP_PHONE_NUMBER_ID": self.whatsapp_phone_number_id,
            "WHATSAPP_APP_SECRET": self.whatsapp_app_secret,
            "WHATSAPP_VERIFY_TOKEN": self.whatsapp_verify_token,
        }
        missing = [name for name, value in whatsapp.items() if value is None]
        if missing and len(missing) < len(whatsapp):
            raise ValueError(f"WhatsApp is half configured: {', '.join(missing)} missing")
        if (
            self.telegram_webhook_secret
            and self.telegram_bot_token
            and not (self.public_url or "").startswith("https://")
        ):
            raise ValueError(
                "TELEGRAM_WEBHOOK_SECRET asks for webhook mode, which needs PUBLIC_URL beginning with https://"
            )
        return self

    @property
    def archive_folder(self) -> Path | None:
        """Where old months of the log go. None: nowhere, since a platform's disk may be gone tomorrow."""
        if self.archive_dir is None and self.database_url is None:
            return self.data_dir / "archive"
        return self.archive_dir

    @property
    def audit_heads(self) -> Path:
        """The file for heads of the audit log: one for each database, so that none is held against another's."""
        if self.database_url is None:
            return self.data_dir / "audit-heads.jsonl"
        where = urlsplit(self.database_url.get_secret_value())
        name = f"{where.netloc.rpartition('@')[2]}{where.path}?{where.query}"
        return self.data_dir / f"audit-heads-{sha256(name.encode()).hexdigest()[:12]}.jsonl"

    @property
    def telegram_enabled(self) -> bool:
        return self.telegram_bot_token is not None

    @property
    def whatsapp_enabled(self) -> bool:
        return self.whatsapp_access_token is not None


def load(**overrides: object) -> Settings:
    """Read the settings or stop with one clear line. Overrides are by field name (tests, command-line flags)."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # pydantic validates what the type cannot say
    except ValidationError as error:
        raise ConfigurationError(_one_line(error)) from None
    except UnicodeDecodeError:
        raise ConfigurationError(".env is not UTF-8") from None


def _one_line(error: ValidationError) -> str:
    """«VARIABLE: what is wrong» for the first problem. Input values are left out: they may be secrets."""
    problem = error.errors(include_input=False, include_url=False)[0]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{_variable(name)}: {reason}" if name else reason


def _variable(name: str) -> str:
    field = Settings.model_fields.get(name)
    alias = field.validation_alias if field else None
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else name


def describe() -> list[tuple[str, str, str]]:
    """(variable, default, description) of every setting, for --help and for the test that holds .env.example to it."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else str(field.default)
        rows.append((_variable(name), default, field.description or ""))
    return rows
