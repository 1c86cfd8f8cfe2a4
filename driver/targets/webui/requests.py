"""Settings and a job together: the request that a WebUI gets for it."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from ....core.errors import InputError
from ....core.files import read_regular
from ...field_text import fill, read_names
from ...inputs import FileInput, choose
from ...job import JOB_FIELDS, PICTURES, TEXTS, EffectiveInputs, Job, plan_inputs
from ...pairs.labelled_photos import Scenes
from ...pairs.render import RenderedInputs
from ...picture_files import upload_name
from ...plan import Plan
from . import KIND
from .input_images import blank, check_mask, output_size, with_size
from .payload import Request, find_embeddings, find_loras, payload, webui_text, with_loras
from .webui_settings import Key, WebUISettings, leaves, map_leaves

JOB_WORDS = {"prompt": "prompt", "negative": "negative_prompt", "seed": "seed"}
"""Job field -> the field of the API that takes it."""
PREFIX = f"{KIND.name}."  # of addresses in a recipe's sweep, and of the pictures under its key


@dataclass(frozen=True)
class Requests:
    """Complete settings bound to the jobs of a recipe: job in, request or id out.

    `decides_ids`: whether the recipe has the key. `swept` are the keys that a sweep sets.
    `scenes` are the recipe's labelled photos, if any; `texts` those of `bind` with job fields in
    them, by their addresses.
    """

    settings: WebUISettings
    batch_size: int
    decides_ids: bool
    swept: frozenset[Key] = frozenset()
    scenes: Scenes | None = None
    texts: Mapping[str, Any] = field(default_factory=dict)

    def with_scenes(self, scenes: Scenes) -> "Requests":
        """The same of other labelled photos."""
        return replace(self, scenes=scenes)

    @property
    def files(self) -> Mapping[str, FileInput]:
        """Address -> the pictures that stand under the recipe's `webui`."""
        return {
            PREFIX + key: value
            for key, value in self._leaves.items()
            if isinstance(value, FileInput)
        }

    def id(self, job: Job, subject_digest: str = "") -> str:
        """32 hex digits that follow from everything that decides the pixels.

        Of a subject's file that is its content, whatever it is called.
        """
        named = job._replace(subject=None) if subject_digest else job
        words = [job.prompt, job.negative, job.seed, job.images, subject_digest]
        text = json.dumps([self._values(named), words], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:32]

    def models(self, job: Job) -> tuple[Any, ...]:
        """Checkpoint and VAE of `job`: what is slow to load."""
        return tuple(self._value(name, self._leaves[name], job) for name in ("checkpoint", "vae"))

    def group(self, job: Job) -> str:
        """A key shared by jobs of the same models."""
        return sha256(json.dumps(self.models(job)).encode()).hexdigest()[:16]

    def facts(self) -> dict[str, Any]:
        """What decides requests beside the jobs."""
        return {"settings": self.settings.model_dump(mode="json"), "swept": sorted(self.swept)}

    def request(self, job: Job, rendered: RenderedInputs | None = None) -> Request:
        """What a WebUI is asked for `job`. Without `made`, to look ahead, drawn pictures are blank.

        Raises InputError for a picture that cannot be read and a size that would be rounded.
        """
        settings: Mapping[str, Any] = self._values(job)
        called = [(Path(lora["name"]).stem, lora["weight"]) for lora in settings["loras"]]
        prompt = with_loras(webui_text(job.prompt, settings["language"]), called)
        negative = webui_text(job.negative, settings["language"])
        begin = self._picture("init_image", job, rendered) if settings["init_image"] else None
        settings = with_size(settings, begin)
        size = output_size(settings, begin)

        if settings["mask"]:
            check_mask(self._picture("mask", job, rendered))

        def encode(key: Key) -> str:
            return b64encode(self._picture(key, job, rendered)).decode("ascii")

        return Request(
            endpoint="txt2img" if begin is None else "img2img",
            payload=payload(settings, prompt, negative, job.seed, job.images, encode),
            prompt=prompt,
            seed=job.seed,
            images=job.images,
            size=size,
            checkpoint=settings["checkpoint"],
            vae=settings["vae"] or "Automatic",
            loras=find_loras(prompt),
            embeddings=find_embeddings(job.prompt, job.negative),
            units=tuple(
                self._picture(f"controlnet.{number}.image", job, rendered)
                if unit["module"] == "none"
                else None
                for number, unit in enumerate(settings["controlnet"])
            ),
        )

    @property
    def effective_fields(self) -> frozenset[str]:
        """Which of prompt, negative and seed are the job's: one that stands under `webui.fields`
        replaces it, if it does not name it."""
        fields = self.settings.fields
        return frozenset(
            name
            for name, field in JOB_WORDS.items()
            if field not in fields or name in read_names(fields[field])
        )

    def trace_inputs(self, job: Job) -> EffectiveInputs:
        """The words and the seed of `job` as a WebUI gets them."""
        fields = self._value("fields", self.settings.fields, job)
        values = plan_inputs(job)._asdict()
        return EffectiveInputs(
            **{
                name: fields.get(field, values[name]) if name in self.effective_fields else None
                for name, field in JOB_WORDS.items()
            }
        )

    @cached_property
    def _leaves(self) -> dict[Key, Any]:
        return leaves(self.settings)

    def _values(self, job: Job) -> dict[str, Any]:
        """The settings of `job` as plain values; pictures as hashes of what they follow from."""
        return map_leaves(self.settings, lambda key, value: self._value(key, value, job))

    def _value(self, key: Key, value: Any, job: Job) -> Any:
        if key in self.swept:
            return self._fill(job.sweep[PREFIX + key], job)
        if isinstance(value, FileInput):
            return upload_name(job.pictures[PREFIX + key])
        if isinstance(value, dict):
            return {name: self._fill(text, job) for name, text in value.items()}
        if not isinstance(value, str):
            return value
        if value.startswith("@"):
            address = value[1:]
            texts = {**self.texts, **job.sweep}
            if address in texts:
                return self._fill(choose(texts[address], job.class_name), job)
            return upload_name(job.pictures[address])
        return self._fill(value, job)

    def _fill(self, value: Any, job: Job) -> Any:
        return fill(value, lambda name: self._read_field(name, job))

    def _read_field(self, name: str, job: Job) -> Any:
        """A job field; of a picture that is drawn only later, what it follows from."""
        if name in JOB_FIELDS:
            return JOB_FIELDS[name](job)
        if name in job.fields:
            return job.fields[name]
        assert self.scenes is not None
        return self.scenes.text(job, name) if name in TEXTS else self.scenes.key(job, name)

    def _picture(self, key: Key, job: Job, rendered: RenderedInputs | None) -> bytes:
        value = self._leaves[key]
        if isinstance(value, str) and value[1:] in PICTURES:
            return rendered.files[value[1:]] if rendered else blank()
        path = job.pictures[value[1:] if isinstance(value, str) else PREFIX + key]
        try:
            return read_regular(Path(path))
        except OSError as error:
            raise InputError(f"The picture {path} cannot be read: {error.strerror}.") from None


def find_requests(plan: Plan) -> Requests:
    """The requests of a plan for WebUIs."""
    requests = plan.bound.programs[KIND.name]
    assert isinstance(requests, Requests)
    return requests
