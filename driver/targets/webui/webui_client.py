"""The WebUI's HTTP API, as far as the driver needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ....core.json_text import dicts, fields, items
from ...http import Http, Refused, Unreachable

LONGEST = 24 * 3600.0  # seconds; a call answers only when its images are drawn
API = "/sdapi/v1"
ENDPOINTS = ("txt2img", "img2img")
Schemas = Mapping[str, frozenset[str]]
"""txt2img, img2img or options -> the fields that it has."""


@dataclass(frozen=True)
class Progress:
    """What the WebUI does now, or did last.

    `started` is the time stamp of that task in whole seconds, as the server writes it; `at` says
    how far it is, and is equal as long as nothing moves. `spoiled`: it was interrupted or skipped,
    by whomever.
    """

    busy: bool
    started: str
    at: tuple[Any, ...]
    spoiled: bool


class WebUI:
    """One WebUI. Every method may raise http.Unreachable or http.Refused."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def draw(self, endpoint: str, payload: Mapping[str, Any]) -> Any:
        """The reply to txt2img or img2img, after all that is before it in the queue."""
        return self.http.post_json(f"{API}/{endpoint}", payload, LONGEST)

    def progress(self) -> Progress:
        reply = self._dict(f"{API}/progress?skip_current_image=true")
        state = fields(reply.get("state"))
        names = ("job", "job_timestamp", "job_count", "job_no", "sampling_step")
        return Progress(
            busy=bool(state.get("job_count")) or bool(state.get("job")),
            started=str(state.get("job_timestamp", "")),
            at=(reply.get("progress"), *(state.get(name) for name in names)),
            spoiled=any(state.get(n) for n in ("interrupted", "skipped", "stopping_generation")),
        )

    def interrupt(self) -> None:
        """End whatever is drawn there now; its images come back half drawn."""
        self.http.post_json(f"{API}/interrupt", {})

    def options(self) -> dict[str, Any]:
        """Its settings."""
        return self._dict(f"{API}/options")

    def set_options(self, values: Mapping[str, Any]) -> None:
        """Change some of its settings, for good."""
        self.http.post_json(f"{API}/options", values)

    def embeddings(self) -> tuple[set[str], set[str]]:
        """Names of the embeddings that its model can use, and of those that it cannot."""
        reply = self._dict(f"{API}/embeddings")
        loaded, skipped = (fields(reply.get(name)) for name in ("loaded", "skipped"))
        return set(loaded), set(skipped)

    def schemas(self) -> Schemas:
        """What txt2img, img2img and options know; nothing where the server does not say."""
        try:
            reply = self._dict("/openapi.json")
        except Refused:
            return {}
        named = {"options": "Options"} | {name: _body(reply, name) for name in ENDPOINTS}
        fields_by_name = {name: _properties(reply, schema) for name, schema in named.items()}
        return {name: names for name, names in fields_by_name.items() if names}

    def list_items(self, what: str) -> list[dict[str, Any]] | None:
        """A list such as sd-models, sd-vae, samplers, loras; None where there is no such route."""
        try:
            reply = self.http.get_json(f"{API}/{what}")
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return dicts(reply) if isinstance(reply, list) else None

    def scripts(self) -> set[str]:
        """Titles of the scripts that txt2img knows, in small letters."""
        reply = self._dict(f"{API}/scripts")
        return {str(title).lower() for title in items(reply.get("txt2img"))}

    def control_lists(self) -> tuple[list[str], list[str]] | None:
        """Models and preprocessors of ControlNet; None without it."""
        try:
            models = self._dict("/controlnet/model_list").get("model_list")
            modules = self._dict("/controlnet/module_list").get("module_list")
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return list(map(str, items(models))), list(map(str, items(modules)))

    def refresh(self, *what: str) -> None:
        """Have it look for new files: checkpoints, loras, vae, embeddings. Waits for its queue."""
        for name in what:
            try:
                self.http.post_json(f"{API}/refresh-{name}", {}, LONGEST)
            except Refused as error:
                if error.status not in (404, 405):
                    raise

    def _dict(self, path: str) -> dict[str, Any]:
        reply = self.http.get_json(path)
        if not isinstance(reply, dict):
            raise Unreachable(f"{self.http.address.base_url}{path} is not a reply from a WebUI.")
        return reply


def _body(schema: Any, endpoint: str) -> str:
    """The name of an endpoint's request in an OpenAPI document; "" if it has none."""
    try:
        body = schema["paths"][f"{API}/{endpoint}"]["post"]["requestBody"]["content"]
        return str(body["application/json"]["schema"]["$ref"]).rpartition("/")[2]
    except (LookupError, TypeError):
        return ""


def _properties(schema: Any, name: str) -> frozenset[str]:
    try:
        return frozenset(schema["components"]["schemas"][name]["properties"])
    except (LookupError, TypeError):
        return frozenset()


SUFFIXES = (".safetensors", ".ckpt", ".pt", ".pth")


def same_file(name: str, other: str) -> bool:
    """Whether two names may be of one model file: folders and hashes are left out, and the ending
    where one has none."""
    (stem, suffix), (other_stem, other_suffix) = _split_name(name), _split_name(other)
    return stem == other_stem and ("" in (suffix, other_suffix) or suffix == other_suffix)


def _split_name(name: str) -> tuple[str, str]:
    """Bare name and ending of "folder/name.safetensors [hash]"."""
    path = PurePosixPath(name.replace("\\", "/").partition(" [")[0])
    return (path.stem, path.suffix) if path.suffix in SUFFIXES else (path.name, "")
