"""Every setting, from the environment or `.env`, read once and handed out as plain values."""

import difflib
import os
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.words import ENGLISH, LANGUAGES, marked
from store.errors import SettingsProblem

PREFIX = "COROLLARY_"
OPERATOR = marked("Corollary's operator")


class Access(StrEnum):
    """Who may ask in Telegram. Admins always may."""

    ALLOWLIST = "allowlist"
    INVITE = "invite"
    OPEN = "open"


def _default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("corollary", appauthor=False))


class Settings(BaseSettings):
    """What an operator may set. Every name has the prefix COROLLARY_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="forbid",
        dotenv_filtering="match_prefix",
        hide_input_in_errors=True,
        frozen=True,
    )

    data_dir: Path = Field(
        default_factory=_default_data_dir,
        description="Folder for builds and the SQLite database; made when missing. "
        "Unset: the user's data folder of this system.",
    )
    articles_dir: Path | None = Field(
        default=None,
        description="Folder of article files (Markdown). Unset: the sample articles.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="SQLAlchemy URL of the conversations, for example "
        "postgresql+asyncpg://user:password@host/corollary. Unset: SQLite in the data folder.",
    )
    serve_under_review: bool | None = Field(
        default=None,
        description="Quote articles under review too, with a caution (true or false). "
        "Unset: only for the sample articles.",
    )
    review_grace_days: int = Field(
        default=90,
        ge=0,
        le=3650,
        description="Days after its review date during which an approved article is still quoted, "
        "with a caution; 0 to 3650.",
    )
    approvals: int = Field(
        default=1,
        ge=1,
        le=3,
        description="How many different people must approve a text before it counts as approved; "
        "1 to 3.",
    )
    keep_builds: int = Field(
        default=3,
        ge=2,
        le=50,
        description="Builds kept on disk to roll back to; 2 to 50.",
    )
    corrections: bool = Field(
        default=True,
        description="Tell people once when a statement they were shown has been withdrawn or "
        "changed (true or false).",
    )
    gaps_from_people: int = Field(
        default=3,
        ge=1,
        le=100,
        description="Unanswered questions of Telegram are shown to admins only when at least so "
        "many people asked alike; 1 to 100. Those typed at the console always are.",
    )
    retention_days: int = Field(
        default=365,
        ge=0,
        le=3650,
        description="Days after which questions and answers are erased; 1 to 3650. 0: never, until "
        "people erase theirs with /forget.",
    )
    questions_per_hour: int = Field(
        default=600,
        ge=0,
        description="Questions, commands and buttons of one person that are answered in an hour; "
        "whoever sends more is told until when to wait. Admins are not counted. 0: no limit.",
    )
    digest_hour: int = Field(
        default=7,
        ge=-1,
        le=23,
        description="Hour (UTC, 0 to 23) at which admins get the daily digest in Telegram; -1: "
        "never.",
    )
    operator_name: str = Field(
        default=OPERATOR,
        min_length=1,
        max_length=200,
        description="Who runs this, as named in the disclaimer.",
    )
    language: str = Field(
        default=ENGLISH,
        pattern=f"^({'|'.join(LANGUAGES)})$",
        description="Language of the program's own words for readers who chose none and whose "
        f"Telegram speaks none of them: {' or '.join(LANGUAGES)}. What is quoted stays as it is "
        "written; what is for admins and operators is English.",
    )
    access: Access = Field(
        default=Access.ALLOWLIST,
        description="Who may ask in Telegram: allowlist (admins and COROLLARY_ALLOWED_IDS), "
        "invite (also who gives a code), open (everybody).",
    )
    admin_ids: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(), description="Telegram ids of the admins, comma separated."
    )
    allowed_ids: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(), description="Telegram ids of people who may ask, comma separated."
    )
    invite_codes: SecretStr | None = Field(
        default=None,
        description="Invitation codes for COROLLARY_ACCESS=invite, comma separated; each 8 to 60 "
        "letters, digits, - or _.",
    )
    telegram_token: SecretStr | None = Field(
        default=None, description="The bot's token, from @BotFather."
    )
    bot_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Name that the bot gives itself in Telegram when it has another one, at most "
        "64 characters. Unset: it keeps the name that @BotFather gave it.",
    )
    telegram_base_url: str = Field(
        default="https://api.telegram.org/bot",
        pattern=r"^https?://\S+$",
        description="Bot API server, up to the token; your own for example "
        "http://127.0.0.1:8081/bot.",
    )
    telegram_webhook_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Where Telegram is to send messages, for example "
        "https://bot.example.org/telegram, instead of being asked for them. A proxy passes that "
        "path on to COROLLARY_LISTEN.",
    )
    telegram_webhook_secret: SecretStr | None = Field(
        default=None,
        description="What Telegram sends along with each message to the webhook, 1 to 256 "
        "letters, digits, - or _. Unset: made from the token.",
    )
    telegram_rich: bool = Field(
        default=False,
        description="Send answers as rich messages, with headings, lists and sources that open at "
        "a touch, where the Bot API server takes them (10.1 and later). Not every app shows them: "
        "in Telegram Web, for one, readers were told that the message is not supported (true or "
        "false).",
    )
    listen: str | None = Field(
        default=None,
        pattern=r"^(\[[0-9A-Fa-f:]+\]|[^\s:]*):\d{1,5}$",
        description="Address and port for the webhook, /healthz and /readyz, for example "
        "127.0.0.1:8080. Unset: that one with a webhook, none without.",
    )
    chat_model: str | None = Field(
        default=None,
        pattern=r"^[a-z_]+:\S+$",
        description="Chat model that writes the answers, as provider:name, for example "
        "openai:gpt-5-mini, anthropic:claude-haiku-4-5, google_genai:gemini-2.5-flash, "
        "ollama:llama3.1. Every sentence is checked before it is shown. Unset: answers are "
        "quotations.",
    )
    chat_model_base_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="Base URL of an OpenAI-compatible server for the chat model (vLLM, llama.cpp, "
        "LM Studio), for example http://127.0.0.1:8000/v1; or of an Ollama server.",
    )
    chat_model_key: SecretStr | None = Field(
        default=None,
        description="Key for the chat model. Unset: the provider's own variable, for example "
        "OPENAI_API_KEY, from the environment or .env.",
    )
    chat_model_timeout_s: float = Field(
        default=20,
        ge=1,
        le=120,
        description="Seconds that one answer may take of the chat model, all calls together; "
        "after that the answer is quoted. 1 to 120.",
    )
    chat_model_at_once: int = Field(
        default=4,
        ge=1,
        le=256,
        description="Calls to the chat model at the same time; others wait. 1 to 256.",
    )
    chat_model_tokens_per_day: int = Field(
        default=300_000,
        ge=0,
        description="Tokens, in and out, that one person may spend of the chat model in a day "
        "(UTC); then answers are quoted. 0: no limit.",
    )
    chat_model_second_opinion: bool = Field(
        default=False,
        description="Let the chat model look at the sentences that passed the check, once more; it "
        "can only reject. Costs a call, and nothing is shown before it (true or false).",
    )
    embeddings: str = Field(
        default="minilm",
        pattern=r"^minilm$|^[a-z_]+:\S+$",
        description="Embedding model: minilm (in this process, no network) or provider:name of a "
        "LangChain provider.",
    )
    model_dir: Path | None = Field(
        default=None,
        description="Folder with model.safetensors and tokenizer.json of all-MiniLM-L6-v2. Unset: "
        "the installed package.",
    )
    allow_tracing: bool = Field(
        default=False,
        description="Let LangSmith tracing run when LANGSMITH_TRACING is set. It sends questions "
        "to another service, so it is switched off otherwise.",
    )

    @field_validator("admin_ids", "allowed_ids", mode="before")
    @classmethod
    def _ids(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        ids = [part.strip() for part in value.split(",") if part.strip()]
        if not all(i.isascii() and i.isdecimal() and int(i) > 0 for i in ids):
            raise ValueError("is not a comma-separated list of positive numbers")
        return tuple(int(i) for i in ids)

    @field_validator("invite_codes")
    @classmethod
    def _codes(cls, value: SecretStr | None) -> SecretStr | None:
        for code in split_codes(value):
            if not 8 <= len(code) <= 60 or not code.replace("-", "").replace("_", "").isalnum():
                raise ValueError("has a code that is not 8 to 60 letters, digits, - or _")
        return value

    @field_validator("telegram_token")
    @classmethod
    def _token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[0-9]{1,18}:\S+", value.get_secret_value()):
            raise ValueError("is no token as @BotFather gives it: a number, a colon, and letters")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(
            r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()
        ):
            raise ValueError("is not 1 to 256 letters, digits, - or _")
        return value

    @field_validator("operator_name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return " ".join(value.split())

    @property
    def serves_under_review(self) -> bool:
        """The rule in force: as set, else only for the samples."""
        if self.serve_under_review is None:
            return self.articles_dir is None
        return self.serve_under_review


def split_codes(codes: SecretStr | None) -> tuple[str, ...]:
    """The single invitation codes."""
    given = codes.get_secret_value() if codes else ""
    return tuple(c.strip() for c in given.split(",") if c.strip())


def read_settings() -> Settings:
    """The settings in force; SettingsProblem names each bad one, never its value."""
    try:
        settings = Settings()
    except ValidationError as e:
        problems = []
        for error in e.errors(include_url=False, include_input=False, include_context=False):
            name = str(error["loc"][0]) if error["loc"] else "?"
            if error["type"] == "extra_forbidden":
                full = PREFIX + name.upper().removeprefix(PREFIX)
                problems.append(f"{full} in .env is not a setting{_nearest(name)}")
            else:
                message = error["msg"].removeprefix("Value error, ")
                problems.append(f"{PREFIX}{name.upper()}: {message}")
        raise SettingsProblem(
            "; ".join(problems) + ".", "`corollary settings --example` shows every setting."
        ) from None
    except UnicodeDecodeError:
        raise SettingsProblem(".env is not UTF-8.", "Save it as UTF-8.") from None
    if settings.access is Access.INVITE and not split_codes(settings.invite_codes):
        raise SettingsProblem(
            "COROLLARY_ACCESS=invite needs COROLLARY_INVITE_CODES.", "Set at least one code."
        )
    return settings


def unknown_names() -> list[str]:
    """COROLLARY_ variables of the environment that are no settings, each with the likely one."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    found = sorted(n for n in os.environ if n.startswith(PREFIX) and n not in known)
    return [
        f"{n} is not a setting{_nearest(n)}" for n in found if not n.startswith(f"{PREFIX}TEST_")
    ]


def _nearest(name: str) -> str:
    known = [f"{PREFIX}{field.upper()}" for field in Settings.model_fields]
    wanted = name.upper() if name.upper().startswith(PREFIX) else PREFIX + name.upper()
    near = difflib.get_close_matches(wanted, known, 1, 0.75)
    return f" (did you mean {near[0]}?)" if near else ""


def shown(settings: Settings) -> dict[str, Any]:
    """Every setting with its value in force, secrets masked, as plain JSON values."""
    values = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = "********"
        elif isinstance(value, Path):
            value = str(value)
        elif isinstance(value, tuple):
            value = list(value)
        values[f"{PREFIX}{name.upper()}"] = value
    values[f"{PREFIX}SERVE_UNDER_REVIEW"] = settings.serves_under_review
    return values


def example() -> str:
    """The text of .env.example."""
    lines = [
        "# Copy to .env and uncomment what you change. Made by `corollary settings --example`."
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        value = ",".join(map(str, default)) if isinstance(default, tuple) else default
        value = "" if field.default_factory or value is None else value
        value = str(value).lower() if isinstance(default, bool) else value
        lines += ["", *_wrapped(field.description or ""), f"# {PREFIX}{name.upper()}={value}"]
    return "\n".join(lines) + "\n"


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 96, initial_indent="# ", subsequent_indent="# ")
