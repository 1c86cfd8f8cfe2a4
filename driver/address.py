"""How to reach one server. Secrets live in the environment and are never written down."""

import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_serializer, model_validator

from ..core.errors import InputError
from ..core.user_path import UserPath
from .targets.registry import address_forms, kind_at

if TYPE_CHECKING:  # types alone
    from .targets.base import Kind

EMBEDDED = "embedded"
SECRET_PREFIX = "MANYSHOT_"
MORE_SECRETS = "MANYSHOT_SECRETS"
"""Names of further environment variables that recipes may send to their servers, by commas."""
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class ServerAddress(BaseModel):
    """One server, a ComfyUI or a WebUI: its address, and what it wants to see before it answers.

    `headers`, `bearer` and `basic` may hold ${NAME}, read from the environment when connecting;
    written out again they show the reference, or *** where a secret was typed in. A recipe may be a
    stranger's: only variables named MANYSHOT_..., and those that the user allows, are read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(
        description="http(s)://host:port, with a path if behind a proxy; webui+http(s)://host:port "
        "for a WebUI; or embedded."
    )
    headers: dict[str, str] = Field(default={}, repr=False)
    bearer: str | None = Field(default=None, repr=False, description="Sent as a bearer token.")
    basic: str | None = Field(default=None, repr=False, description="user:password")
    verify: bool | UserPath = Field(default=True, description="TLS: true, false, or a CA file.")
    in_flight: int = Field(
        default=4, ge=1, le=64, description="Jobs waiting on a ComfyUI server; on a WebUI one."
    )

    @model_validator(mode="before")
    @classmethod
    def _split_userinfo(cls, value: Any) -> Any:
        """http://user:password@host becomes `basic`, so that no address holds a secret."""
        if not isinstance(value, dict) or not isinstance(value.get("url"), str):
            return value
        parts = urlsplit(value["url"])
        if "@" not in parts.netloc:
            return value
        userinfo, host = parts.netloc.rsplit("@", 1)
        return {"basic": userinfo, **value, "url": urlunsplit(parts._replace(netloc=host))}

    @model_validator(mode="after")
    def _check(self) -> "ServerAddress":
        if self.url != EMBEDDED:
            parts = urlsplit(self.base_url)
            *forms, last = address_forms()
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(
                    f"{self.url!r} is not a server address; write {', '.join(forms)}, or {last}"
                )
        if self.basic is not None and ":" not in self.basic and not _REFERENCE.search(self.basic):
            raise ValueError("'basic' must be user:password")
        if self.basic is not None and self.bearer is not None:
            raise ValueError("use 'basic' or 'bearer', not both")
        return self

    @field_serializer("bearer", "basic")
    def _hide(self, value: str | None) -> str | None:
        return None if value is None else _mask_secret(value)

    @field_serializer("headers")
    def _hide_all(self, value: dict[str, str]) -> dict[str, str]:
        return {name: _mask_secret(text) for name, text in value.items()}

    @property
    def kind(self) -> "Kind":
        """What kind of server it is."""
        return kind_at(self.url)

    @property
    def base_url(self) -> str:
        """Where its paths begin; holds no secret."""
        return self.url.removeprefix(self.kind.prefix).rstrip("/")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables that it reads, in the order of their names."""
        texts = (self.bearer or "", self.basic or "", *self.headers.values())
        return tuple(sorted({name for text in texts for name in _REFERENCE.findall(text)}))

    def reveal(self, text: str) -> str:
        """`text` with every ${NAME} replaced. Raises InputError for a variable that is not set."""

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if not _may_be_sent(name):
                raise InputError(
                    f"The server {self.base_url} asks for the environment variable {name}. Recipes "
                    f"may read only those named {SECRET_PREFIX}...: rename it, or allow it with "
                    f"--secret {name}."
                )
            secret = os.environ.get(name)
            if secret is None:
                raise InputError(
                    f"The server {self.base_url} needs the environment variable {name}, "
                    "which is not set."
                )
            return secret

        return _REFERENCE.sub(value, text)


def allow_secrets(names: Iterable[str]) -> None:
    """Let this process, and those it starts, send these environment variables to servers."""
    allowed = os.environ.get(MORE_SECRETS, "").split(",")
    os.environ[MORE_SECRETS] = ",".join(dict.fromkeys(filter(None, (*allowed, *names))))


def _may_be_sent(name: str) -> bool:
    allowed = os.environ.get(MORE_SECRETS, "").split(",")
    return name.startswith(SECRET_PREFIX) or name in allowed


def _mask_secret(value: str) -> str:
    """The reference itself if the whole secret is one, else stars."""
    remainder = _REFERENCE.sub("", value)
    return value if _REFERENCE.search(value) and remainder in ("", ":", "Bearer ") else "***"
