"""The samplers and schedulers of the WebUI, and what it makes of a name that it does not know."""

from .versions import Version

OWN_SCHEDULER = {
    "DPM++ 2M": "Karras",
    "DPM++ SDE": "Karras",
    "DPM++ 2M SDE": "Exponential",
    "DPM++ 2M SDE Heun": "Exponential",
    "DPM++ 2S a": "Karras",
    "DPM++ 3M SDE": "Exponential",
    "DPM2": "Karras",
    "DPM2 a": "Karras",
    "Restart": "Karras",
}
NAMES = [
    "DPM++ 2M", "DPM++ SDE", "DPM++ 2M SDE", "DPM++ 2M SDE Heun", "DPM++ 2S a", "DPM++ 3M SDE",
    "Euler a", "Euler", "LMS", "Heun", "DPM2", "DPM2 a", "DPM fast", "DPM adaptive", "Restart",
    "DDIM", "DDIM CFG++", "PLMS", "UniPC", "LCM",
]  # fmt: skip
SCHEDULERS = {
    "automatic": "Automatic",
    "uniform": "Uniform",
    "karras": "Karras",
    "exponential": "Exponential",
    "polyexponential": "Polyexponential",
    "sgm_uniform": "SGM Uniform",
    "kl_optimal": "KL Optimal",
    "align_your_steps": "Align Your Steps",
    "simple": "Simple",
    "normal": "Normal",
    "ddim": "DDIM",
    "beta": "Beta",
}
UNSCHEDULED = ("DDIM", "DDIM CFG++", "PLMS", "UniPC")


class UnknownSampler(Exception):
    """HTTP 404 up to version 1.9."""


def sampler_names(version: Version) -> list[str]:
    """As /samplers lists them: without a schedule in its name a sampler has the uniform one."""
    if not version.karras_names:
        return NAMES
    scheduled = [f"{name} {own}" for name, own in OWN_SCHEDULER.items() if name != "Restart"]
    return [*NAMES, *scheduled]


def settled(name: str, scheduler: str | None, version: Version) -> tuple[str, str | None]:
    """The sampler and the scheduler that are used. Raises UnknownSampler in old versions; newer
    ones take DPM++ 2M for an unknown sampler, and Automatic for an unknown scheduler."""
    if version.sampler_status:
        if name not in sampler_names(version):
            raise UnknownSampler
        return name, scheduler
    labels = {**SCHEDULERS, **{label: label for label in SCHEDULERS.values()}}
    found = labels.get(scheduler or "", "Automatic")
    for known, label in labels.items():
        if name.endswith(f" {known}"):
            name, found = name.removesuffix(f" {known}"), label
    return (name if name in NAMES else NAMES[0]), found


def used_scheduler(name: str, scheduler: str | None) -> str | None:
    """What the sampler works with, where that is one of its own: the infotext's "Schedule type"."""
    own = scheduler or "Automatic"
    if own == "Automatic":
        own = OWN_SCHEDULER.get(name, own)
    return None if own == "Automatic" or name in UNSCHEDULED else own
