"""Which Stable Diffusion a model file is of, and whether a ControlNet fits it.

Read off the sizes of tensors in a .safetensors header, never off names of files; no weight is
loaded. Known are UNets in the layout of ComfyUI and A1111 (`model.diffusion_model.`,
`control_model.`) and in that of diffusers, control LoRAs and T2I adapters.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open

from .files import check_regular
from .tiny_sizes import TINY

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class UnetSizes:
    """`channels` of the first level, width of the text `context`, and of the further `vector`
    beside the time step (0: there is none). None: not known."""

    channels: int | None
    context: int | None
    vector: int | None = None

    def fit(self, other: "UnetSizes") -> bool:
        """Whether nothing that both know differs; the context has to be known."""
        pairs = ((self.channels, other.channels), (self.vector, other.vector))
        same = all(mine is None or theirs is None or mine == theirs for mine, theirs in pairs)
        return self.context == other.context is not None and same


FAMILIES = {
    "SD 1.x": UnetSizes(320, 768, 0),
    "SD 2.x": UnetSizes(320, 1024),
    "SDXL": UnetSizes(320, 2048, 2816),
    "SDXL refiner": UnetSizes(384, 1280, 2560),
    "manyshot-tiny": UnetSizes(TINY.unet_channels, TINY.text_width, 0),
}
TRANSFORMER = "transformers such as SD 3 and Flux"  # of which one family is as good as another here
ADAPTERS = {64: "SD 1.x", 192: "SD 1.x", 256: "SDXL", 768: "SDXL"}  # by channels of the hint

_PREFIX = r"(?:model\.diffusion_model\.|diffusion_model\.|control_model\.)?"
_CHANNELS = re.compile(_PREFIX + r"(?:input_blocks\.0\.0|conv_in)\.(?:weight|up)")
_CONTEXT = re.compile(
    _PREFIX
    + r"(?:input_blocks|down_blocks|middle_block|mid_block)\..*\.attn2\.to_k\.(?:weight|down)"
)
_VECTOR = re.compile(_PREFIX + r"(?:label_emb\.0\.0|add_embedding\.linear_1)\.(?:weight|down)")
_TRANSFORMER = re.compile(
    _PREFIX + r"(?:controlnet_blocks\.0\.(?:linear\.)?weight|(?:double|joint)_blocks\.0\..*)"
)
_ADAPTER = re.compile(r"(?:adapter\.)?body\.0\.(?:block1\.weight|resnets\.0\.block1\.weight)")
_LIGHT_ADAPTER = re.compile(r"(?:adapter\.)?body\.0\.in_conv\.weight")


@dataclass(frozen=True)
class ModelFacts:
    """`kind`: "model", "ControlNet", "control LoRA" or "T2I adapter"; `family`: one of FAMILIES,
    TRANSFORMER, or None where the sizes tell of none that is known."""

    kind: str
    family: str | None


def read_facts(shapes: Shapes) -> ModelFacts:
    """What the names and shapes of a file's tensors say."""
    adapter = _adapter_family(shapes)
    if adapter is not None:
        return ModelFacts("T2I adapter", adapter)
    if "lora_controlnet" in shapes:
        return ModelFacts("control LoRA", unet_family(_sizes(shapes, None)))
    return ModelFacts(_kind(shapes), unet_family(_sizes(shapes, 0)) or _transformer(shapes))


def unet_family(sizes: UnetSizes) -> str | None:
    """The family that has these sizes; None for one that is not known."""
    return next((name for name, family_sizes in FAMILIES.items() if family_sizes.fit(sizes)), None)


def _kind(shapes: Shapes) -> str:
    marks = ("zero_convs.", "input_hint_block.", "controlnet_cond_embedding.", "controlnet_blocks.")
    plain = (key.removeprefix("control_model.") for key in shapes)
    return "ControlNet" if any(key.startswith(marks) for key in plain) else "model"


def _sizes(shapes: Shapes, without_vector: int | None) -> UnetSizes:
    return UnetSizes(
        _size(shapes, _CHANNELS, 0),
        _size(shapes, _CONTEXT, 1),
        _size(shapes, _VECTOR, 1) or without_vector,
    )


def _size(shapes: Shapes, name: re.Pattern[str], axis: int) -> int | None:
    """One size of the first tensor whose name is like that."""
    matches = (shape for key, shape in shapes.items() if len(shape) > axis and name.fullmatch(key))
    return next((shape[axis] for shape in matches), None)


def _transformer(shapes: Shapes) -> str | None:
    return TRANSFORMER if any(_TRANSFORMER.fullmatch(key) for key in shapes) else None


def _adapter_family(shapes: Shapes) -> str | None:
    if any(_LIGHT_ADAPTER.fullmatch(key) for key in shapes):
        return "SD 1.x"
    if not any(_ADAPTER.fullmatch(key) for key in shapes):
        return None
    return ADAPTERS.get(_size(shapes, re.compile(r"(?:adapter\.)?conv_in\.weight"), 1) or 0)


def file_facts(path: Path) -> ModelFacts | None:
    """What a .safetensors file says of itself; None for other files, and where it cannot be read.

    Only the header is read, of at most 100 MB (safetensors' own limit), and once for each state of
    the file.
    """
    if path.suffix not in (".safetensors", ".sft"):
        return None
    try:
        check_regular(path)
        stat = path.stat()
        return _read(path, stat.st_size, stat.st_mtime_ns)
    except (OSError, SafetensorError):
        return None


@lru_cache(maxsize=4096)
def _read(path: Path, size: int, changed: int) -> ModelFacts:
    with safe_open(path, "np") as file:
        names = file.keys()
        return read_facts({name: tuple(file.get_slice(name).get_shape()) for name in names})


def explain_incompatibility(
    control: str, facts: ModelFacts, model: str, family: str | None, alternatives: Iterable[str]
) -> str | None:
    """Why a ControlNet cannot steer a model, as a sentence; None when it can, or may.

    `control`: its name; `model`: what the model is called here; `others`: the names of the
    ControlNets that are of `family`.
    """
    if facts.family is None or family is None or facts.family == family:
        return None
    suggestions = sorted(alternatives)
    advice = (
        f"Choose one for {family}: {', '.join(suggestions[:5])}."
        if suggestions
        else (f"There is none for {family}: put one into models/controlnet.")
    )
    return f"{control} is a {facts.kind} for {facts.family}, but {model} is {family}. {advice}"
