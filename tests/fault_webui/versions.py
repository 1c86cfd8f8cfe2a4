"""What differs between the versions of the WebUI, and between it and its forks."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Version:
    """One version's behaviour. `tag` is what its infotexts say."""

    name: str
    tag: str
    task_ids: bool = True
    """Requests have force_task_id and infotext; GET /internal/pending-tasks exists."""
    scheduler_field: bool = True
    schedulers_route: bool = True
    sampler_status: int | None = None
    """The status for an unknown sampler; None: drawn with the default one, without a word."""
    info_version: bool = True
    stopping_generation: bool = True
    refresh_embeddings: bool = True
    sd_modules: bool = False
    """/sd-modules in place of /sd-vae."""
    karras_names: bool = False
    """Samplers are called "DPM++ 2M Karras", with the scheduler in their name."""
    swallows_units: bool = False
    """A ControlNet unit that names an unknown model is left out, without a word."""
    strict_settings: bool = False
    """A request may not override a setting that is not in config.json."""
    units_enabled: bool = False
    """A ControlNet unit is on unless it says `enabled: false`."""


_LATEST = Version("1.10.1", "v1.10.1")
_BEFORE = replace(_LATEST, schedulers_route=False, sampler_status=404)
_OLD = replace(_BEFORE, scheduler_field=False, karras_names=True)
_OLDER = replace(_OLD, task_ids=False, stopping_generation=False, refresh_embeddings=False)
_ALL = (
    replace(_OLDER, name="1.6.0", tag="v1.6.0", info_version=False, strict_settings=True),
    replace(_OLDER, name="1.7.0", tag="v1.7.0"),
    replace(_OLD, name="1.8.0", tag="v1.8.0"),
    replace(_BEFORE, name="1.9.0", tag="v1.9.0"),
    _LATEST,
    replace(
        _LATEST,
        name="forge",
        tag="f2.0.1v1.10.1",
        sd_modules=True,
        swallows_units=True,
        units_enabled=True,
    ),
    replace(_LATEST, name="reforge", tag="f1.0.0v1.10.1"),
)
VERSIONS = {version.name: version for version in _ALL}
