"""What differs between WebUIs (AUTOMATIC1111 1.6 to 1.10, Forge, reForge), all in one place.

    up to 1.8     no field `scheduler`: samplers are called "DPM++ 2M Karras"
    1.9           the field is there, the list /schedulers is not
    from 1.10 on  an unknown sampler is silently another one; before, it is refused
    Forge         no /sd-vae: a VAE is a module among others, given by its path

Whatever a server is, it says itself which fields, samplers and settings it has; nothing is guessed
from a version.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...core.errors import InputError
from ...core.nearest import did_you_mean
from .client import WebUI
from .request import Request

AUTOMATIC = "Automatic"
OWN_SCHEDULE = {"DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 2S a"}
"""Samplers whose automatic schedule is Karras from 1.9 on."""
HASHES = {
    "loras": "lora_add_hashes_to_infotext",
    "embeddings": "textual_inversion_add_hashes_to_infotext",
}
MODULES = "forge_additional_modules"
Item = Mapping[str, Any]


@dataclass(frozen=True)
class Dialect:
    """What a server says of itself. None where it has no such list.

    `fields`: of txt2img and img2img; `vaes` and `modules`: name -> path, of the one kind or the
    other; `upscalers` with those for latents; `controls` are models and preprocessors.
    """

    fields: Mapping[str, frozenset[str] | None]
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...] | None
    checkpoints: tuple[Item, ...]
    vaes: Mapping[str, str] | None
    modules: Mapping[str, str] | None
    loras: tuple[Item, ...]
    embeddings: tuple[frozenset[str], frozenset[str]]
    upscalers: tuple[str, ...]
    controls: tuple[tuple[str, ...], tuple[str, ...]] | None
    scripts: frozenset[str]
    options: Mapping[str, Any]

    @property
    def schedules(self) -> bool:
        """Whether the schedule is a field of its own."""
        fields = self.fields.get("txt2img")
        return self.schedulers is not None or (fields is not None and "scheduler" in fields)

    def adapted(self, request: Request) -> Request:
        """`request` in this server's words. Raises InputError for a name that it lacks."""
        sampler, scheduler = self._sampling(request.payload)
        payload = {**request.payload, "sampler_name": sampler, "scheduler": scheduler}
        if scheduler is None:
            del payload["scheduler"]
        payload["override_settings"] = self._overrides(request)
        return replace(request, payload=payload)

    def _sampling(self, payload: Mapping[str, Any]) -> tuple[str, str | None]:
        """Sampler and schedule; None where both are one name."""
        sampler, scheduler = payload["sampler_name"], payload["scheduler"]
        if self.schedules:
            known = self.schedulers
            return (
                nearest("sampler", sampler, self.samplers),
                nearest("scheduler", scheduler, known) if known else scheduler,
            )
        if scheduler == AUTOMATIC and sampler in OWN_SCHEDULE:
            scheduler = "Karras"
        both = sampler if scheduler == AUTOMATIC else f"{sampler} {scheduler}"
        return nearest("sampler", both, self.samplers), None

    def _overrides(self, request: Request) -> dict[str, Any]:
        """The settings that go with the request: the server's names of VAE and hashes."""
        found = dict(request.payload["override_settings"])
        if self.vaes is None and self.modules is not None:
            del found["sd_vae"]
            chosen = [] if request.vae == AUTOMATIC else [self.modules[request.vae]]
            found[MODULES] = chosen
        asked = [HASHES[name] for name in HASHES if getattr(request, name)]
        return found | {name: True for name in asked if self.options.get(name) is False}


def nearest(what: str, name: str, known: Iterable[str]) -> str:
    """`name` as the server spells it. Raises InputError with the nearest one."""
    known = list(known)
    for one in known:
        if one.lower() == name.lower():
            return one
    raise InputError(f"It has no {what} {name!r}.{did_you_mean(name, known)}")


def dialect_of(client: WebUI) -> Dialect:
    """Asks a server for all of it. Raises Unreachable, Refused."""
    vaes, modules = client.listed("sd-vae"), client.listed("sd-modules")
    schedulers, controls = client.listed("schedulers"), client.control_lists()
    loaded, skipped = client.embeddings()
    upscalers = [
        *(client.listed("upscalers") or []),
        *(client.listed("latent-upscale-modes") or []),
    ]
    return Dialect(
        fields={name: client.fields(name) for name in ("txt2img", "img2img")},
        samplers=_names(client.listed("samplers") or [], "name"),
        schedulers=None if schedulers is None else _names(schedulers, "label"),
        checkpoints=tuple(client.listed("sd-models") or ()),
        vaes=_paths(vaes),
        modules=_paths(modules),
        loras=tuple(client.listed("loras") or ()),
        embeddings=(frozenset(loaded), frozenset(skipped)),
        upscalers=_names(upscalers, "name"),
        controls=controls and (tuple(controls[0]), tuple(controls[1])),
        scripts=frozenset(client.scripts()),
        options=client.options(),
    )


def _names(items: Iterable[Item], key: str) -> tuple[str, ...]:
    return tuple(str(item[key]) for item in items if key in item)


def _paths(items: Iterable[Item] | None) -> dict[str, str] | None:
    if items is None:
        return None
    return {str(one.get("model_name")): str(one.get("filename")) for one in items}
