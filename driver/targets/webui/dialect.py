"""What differs between WebUIs (AUTOMATIC1111 1.6 to 1.10, Forge, reForge), all in one place.

    up to 1.8     no field `scheduler`: samplers are called "DPM++ 2M Karras"
    1.9           the field is there, the list /schedulers is not, and a schedule that it does not
                  know stands in the image's text as if it had been used
    from 1.10 on  an unknown sampler is silently another one; before, it is refused
    Forge         no /sd-vae: a VAE is a module among others, given by its path; and its replies do
                  not list the embeddings that took part

Whatever a server is, it says itself which fields, samplers and settings it has; nothing is guessed
from a version.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from ....core.counted import did_you_mean
from ....core.errors import InputError
from .payload import NOISE, PINNED, Request
from .webui_client import Schemas, WebUI, same_file

AUTOMATIC = "Automatic"
OWN_SCHEDULE = {
    "DPM++ 2M": "Karras",
    "DPM++ SDE": "Karras",
    "DPM++ 2S a": "Karras",
    "DPM2": "Karras",
    "DPM2 a": "Karras",
    "DPM++ 2M SDE": "Exponential",
    "DPM++ 2M SDE Heun": "Exponential",
    "DPM++ 3M SDE": "Exponential",
}
"""What the automatic schedule of a sampler is from 1.9 on."""
UNIFORM = "Uniform"  # what samplers without a schedule in their name have up to 1.8
SCHEDULERS_OF_1_9 = (
    "Automatic", "Uniform", "Karras", "Exponential", "Polyexponential", "SGM Uniform",
)  # fmt: skip
HASHES = {
    "loras": "lora_add_hashes_to_infotext",
    "embeddings": "textual_inversion_add_hashes_to_infotext",
}
NO_CACHE = "persistent_cond_cache"
MODULES = "forge_additional_modules"
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Dialect:
    """What a server says of itself. None where it has no such list.

    `schemas`: the fields of txt2img, img2img and options; `vaes`, or in Forge `modules`;
    `upscalers` with those for latents; `controls` are models and preprocessors of ControlNet.
    """

    schemas: Schemas
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...] | None
    checkpoints: tuple[Item, ...]
    vaes: tuple[Item, ...] | None
    modules: tuple[Item, ...] | None
    loras: tuple[Item, ...]
    embeddings: tuple[frozenset[str], frozenset[str]]
    upscalers: tuple[str, ...]
    controls: tuple[tuple[str, ...], tuple[str, ...]] | None
    scripts: frozenset[str]
    options: Mapping[str, Any]

    @property
    def schedules(self) -> bool:
        """Whether the schedule is a field of its own."""
        fields = self.schemas.get("txt2img", frozenset())
        return self.schedulers is not None or "scheduler" in fields

    @property
    def settings(self) -> frozenset[str]:
        """The names of all its settings; /options has those alone that stand in its own file."""
        return frozenset(self.options) | self.schemas.get("options", frozenset())

    def adapt(self, request: Request) -> Request:
        """`request` in this server's words. Raises InputError for a name that it lacks."""
        sampler, scheduler = self._sampling(request.payload)
        payload = {**request.payload, "sampler_name": sampler, "scheduler": scheduler}
        if scheduler is None:
            del payload["scheduler"]
        checkpoint = find_model("checkpoint", request.checkpoint, self.checkpoints)
        sent = request.payload["override_settings"]
        payload["override_settings"] = {
            **{name: sent[name] for name in sent if self._takes(name, sent[name])},
            "sd_model_checkpoint": checkpoint["title"],
            **self._vae(request),
            **self._hashes(request),
        }
        if self.vaes is None:
            payload["override_settings"].pop("sd_vae", None)
        stem = PurePath(str(checkpoint.get("filename", request.checkpoint))).stem
        embeddings = () if self.modules is not None else request.embeddings
        return replace(request, payload=payload, checkpoint=stem, embeddings=embeddings)

    def _sampling(self, payload: Mapping[str, Any]) -> tuple[str, str | None]:
        """Sampler and schedule; None where both are one name."""
        sampler, scheduler = payload["sampler_name"], payload["scheduler"]
        if self.schedules:
            schedulers = self.schedulers or SCHEDULERS_OF_1_9
            return (
                match_name("sampler", sampler, self.samplers),
                match_name("scheduler", scheduler, schedulers),
            )
        if scheduler == AUTOMATIC:
            scheduler = OWN_SCHEDULE.get(sampler, UNIFORM)
        both = sampler if scheduler == UNIFORM else f"{sampler} {scheduler}"
        return match_name("sampler", both, self.samplers), None

    def _takes(self, name: str, value: Any) -> bool:
        """Whether a setting is sent. Those that are pinned to their defaults need not be where they
        stand in no file of settings; 1.6 fails on such ones."""
        if name not in PINNED or name in self.options:
            return True
        return name in self.settings if name == NOISE else value != PINNED[name]

    def _vae(self, request: Request) -> dict[str, Any]:
        """The setting that chooses the VAE."""
        is_default = request.vae in (AUTOMATIC, "None")
        if self.vaes is not None:
            name = (
                request.vae
                if is_default
                else find_model("VAE", request.vae, self.vaes)["model_name"]
            )
            return {"sd_vae": name}
        if self.modules is None:
            return {}
        return {
            MODULES: []
            if is_default
            else [find_model("VAE", request.vae, self.modules)["filename"]]
        }

    def _hashes(self, request: Request) -> dict[str, bool]:
        """The reply is to list the LoRAs and embeddings that took part: those too whose prompt is
        the one before, which the WebUI would not read again."""
        options = [HASHES[name] for name in HASHES if getattr(request, name)]
        switched = {name: True for name in options if self.options.get(name) is False}
        cached = request.embeddings and NO_CACHE in self.settings
        return {**switched, NO_CACHE: False} if cached else switched


def match_name(what: str, name: str, available: Iterable[str]) -> str:
    """`name` as the server spells it. Raises InputError with the nearest one."""
    available = list(available)
    for candidate in available:
        if candidate.lower() == name.lower():
            return candidate
    raise InputError(f"It has no {what} {name!r}.{did_you_mean(name, available)}")


def find_model(what: str, name: str, items: Sequence[Item]) -> Item:
    """The model file of that name, with or without folder, ending and hash.

    Raises InputError with the nearest one, or when several are called so.
    """
    for key in ("title", "model_name", "hash", "filename"):
        exact = [item for item in items if item.get(key) == name]
        if exact:
            return exact[0]
    alike = [item for item in items if same_file(str(item.get("filename")), name)]
    if len(alike) == 1:
        return alike[0]
    names = [str(item.get("model_name")) for item in alike or items]
    if alike:
        raise InputError(f"It has several {what} files {name!r}: {', '.join(names)}. Name one.")
    raise InputError(f"It has no {what} {name!r}.{did_you_mean(name, names)}")


def read_dialect(client: WebUI) -> Dialect:
    """Asks a server for all of it. Raises Unreachable, Refused."""
    vaes, modules = client.list_items("sd-vae"), client.list_items("sd-modules")
    schedulers, controls = client.list_items("schedulers"), client.control_lists()
    loaded, skipped = client.embeddings()
    upscalers = [
        *(client.list_items("upscalers") or []),
        *(client.list_items("latent-upscale-modes") or []),
    ]
    return Dialect(
        schemas=client.schemas(),
        samplers=_names(client.list_items("samplers") or [], "name"),
        schedulers=None if schedulers is None else _names(schedulers, "label"),
        checkpoints=tuple(client.list_items("sd-models") or ()),
        vaes=None if vaes is None else tuple(vaes),
        modules=None if modules is None else tuple(modules),
        loras=tuple(client.list_items("loras") or ()),
        embeddings=(frozenset(loaded), frozenset(skipped)),
        upscalers=_names(upscalers, "name"),
        controls=controls and (tuple(controls[0]), tuple(controls[1])),
        scripts=frozenset(client.scripts()),
        options=client.options(),
    )


def _names(items: Iterable[Item], key: str) -> tuple[str, ...]:
    return tuple(str(item[key]) for item in items if key in item)
