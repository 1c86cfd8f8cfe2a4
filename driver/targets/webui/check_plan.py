"""Everything about a WebUI that can be known to be wrong before anything is drawn.

A WebUI draws on where much is missing, so whatever a job names must be in its lists.
"""

from collections.abc import Callable, Iterator
from typing import Any

from ....core.counted import did_you_mean, pluralize
from ....core.errors import InputError
from ....core.json_text import parse_json
from ....core.subject_file import KEY
from ...plan import Plan
from ...subjects import ClassSubject
from .dialect import Dialect
from .payload import MODELS, PINNED, Request
from .requests import find_requests
from .webui_client import same_file

EXTRA_PICTURES = ("return_mask", "return_mask_composite")
SLOTS = "control_net_unit_count"
NO_MAPS = "control_net_no_detectmap"
FORMAT = "samples_format"  # of the API's images too
SHOWN = 5


def check(plan: Plan, dialect: Dialect, server: str) -> None:
    """Raises InputError, naming the server and all that it lacks, for a plan that it cannot do."""
    problems: dict[str, None] = {}
    for job in plan.samples():
        request = find_requests(plan).request(job)
        for rule in RULES:
            problems |= dict.fromkeys(rule(request, dialect))
    problems |= dict.fromkeys(_subjects(plan, dialect))
    if problems:
        shown = " ".join(list(problems)[:SHOWN])
        raise InputError(f"The WebUI {server} cannot run this. {shown}")


def _fields(request: Request, dialect: Dialect) -> Iterator[str]:
    names = dialect.schemas.get(request.endpoint)
    for name in request.payload:
        if names is not None and name not in names and name != "scheduler":
            yield f"Its {request.endpoint} has no field {name!r}.{did_you_mean(name, names)}"


def _options(request: Request, dialect: Dialect) -> Iterator[str]:
    names = dialect.settings
    for name in request.payload["override_settings"]:
        if name not in names and name not in (*PINNED, *MODELS):
            yield f"It has no setting {name!r}.{did_you_mean(name, names)}"


def _images(request: Request, dialect: Dialect) -> Iterator[str]:
    """Settings that change what comes back."""
    form = str(dialect.options.get(FORMAT, "png")).lower()
    if form != "png":
        yield (
            f"It sends images as {form}, which is lossy: set its 'File format for images' to png."
        )
    for name in EXTRA_PICTURES if "mask" in request.payload else ():
        if dialect.options.get(name):
            yield f"It sends masks among the images: turn off its setting {name!r}."


def _names(request: Request, dialect: Dialect) -> Iterator[str]:
    try:
        dialect.adapt(request)
    except InputError as error:
        yield str(error)


def _loras(request: Request, dialect: Dialect) -> Iterator[str]:
    names = {str(lora.get(key)) for lora in dialect.loras for key in ("name", "alias")}
    for name in request.loras:
        if name not in names:
            yield _lacks("LoRA", name, names)


def _embeddings(request: Request, dialect: Dialect) -> Iterator[str]:
    loaded, skipped = dialect.embeddings
    for name in request.embeddings:
        if name in skipped and _is_loaded(request, dialect):
            yield f"Its embedding {name!r} does not fit the checkpoint that is loaded there."
        elif name not in loaded | skipped:
            yield _lacks("embedding", name, loaded)


def _is_loaded(request: Request, dialect: Dialect) -> bool:
    """Whether the request's checkpoint is loaded there now."""
    return same_file(str(dialect.options.get("sd_model_checkpoint", "")), request.checkpoint)


def _upscaler(request: Request, dialect: Dialect) -> Iterator[str]:
    name = request.payload.get("hr_upscaler")
    if name is not None and name not in dialect.upscalers:
        yield _lacks("upscaler", name, dialect.upscalers)


def _controlnet(request: Request, dialect: Dialect) -> Iterator[str]:
    if not request.units:
        return
    if dialect.controls is None or "controlnet" not in dialect.scripts:
        yield "It has no ControlNet: install sd-webui-controlnet there (Forge has its own)."
        return
    if dialect.options.get(NO_MAPS):
        yield (
            f"It withholds ControlNet's maps ({NO_MAPS}), the only proof that ControlNet "
            "was applied."
        )
    slots = dialect.options.get(SLOTS, 3)
    if len(request.units) > slots:
        yield (
            f"It has {pluralize(slots, 'ControlNet unit')}, but {len(request.units)} are "
            f"needed: raise its setting {SLOTS!r}."
        )
    models, modules = dialect.controls
    for unit in request.payload["alwayson_scripts"]["controlnet"]["args"]:
        if not any(same_file(unit["model"], name) for name in models):
            yield _lacks("ControlNet", unit["model"], models)
        if unit["module"] not in modules:
            yield _lacks("preprocessor", unit["module"], modules)


Rule = Callable[[Request, Dialect], Iterator[str]]
RULES: tuple[Rule, ...] = (
    _fields, _options, _images, _names, _loras, _embeddings, _upscaler,
    _controlnet,
)  # fmt: skip


def _subjects(plan: Plan, dialect: Dialect) -> Iterator[str]:
    """The WebUI must have the very files; of LoRAs it shows the header, in which ours tell."""
    for subject in {subject.name: subject for subject in plan.subjects.values()}.values():
        if subject.file.method == "lora":
            yield from _other_lora(subject, dialect)


def _other_lora(subject: ClassSubject, dialect: Dialect) -> Iterator[str]:
    installed = [item for item in dialect.loras if item.get("name") == subject.path.stem]
    expected = _parse(subject.file.metadata()[KEY])
    for item in installed:
        metadata = item.get("metadata")
        if isinstance(metadata, dict) and _parse(metadata.get(KEY)) != expected:
            yield (
                f"Its LoRA {subject.path.stem!r} differs from {subject.path}. Copy your file there."
            )


def _parse(value: Any) -> Any:
    """The WebUI shows values that are JSON as what they say."""
    return parse_json(value) if isinstance(value, str) else value


def _lacks(what: str, name: str, available: Any) -> str:
    return f"It has no {what} {name!r}.{did_you_mean(name, list(available))}"
