"""The recipe: everything a run needs, as one validated value."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from ..core.classes import check_class_names, normalise_class
from ..core.recipe_file import change_recipe, parse_recipe_data, read_recipe_file
from ..core.user_path import PathOrName, UserPath
from .address import ServerAddress
from .inputs import BoundValue, FileInput, Scalar, StrictModel
from .manifest_recipe import has_recipe, read_manifest_recipe
from .pairs.pair_settings import Pairs
from .prompt_settings import Prompts
from .sweeps import SweepRange, expand_sweep
from .targets.base import TargetSettings
from .targets.registry import TargetKeys, kinds

Transport = Literal["websocket", "view"]
Count = Annotated[int, Field(ge=1)]
ImageCounts = Annotated[
    Annotated[Count, Tag("value")] | Annotated[dict[str, Count], Tag("per class")],
    Discriminator(lambda value: "per class" if isinstance(value, dict) else "value"),
]
Seconds = Annotated[float, Field(gt=0)]
MAX_SEED = 2**64 - 1
SweepInput = dict[str, list[Scalar] | SweepRange | dict[str, list[Scalar] | SweepRange]]


class Retries(StrictModel):
    """How often a job is tried again, by what went wrong. A refused prompt is never tried again."""

    connection: int = Field(default=20, ge=0, description="Server or websocket connection lost.")
    memory: int = Field(default=2, ge=0, description="Out of memory on the server.")
    node: int = Field(default=1, ge=0, description="A node raised an error.")
    stalled: int = Field(default=2, ge=0, description="No sign of life within timeouts.stall.")
    incomplete: int = Field(default=3, ge=0, description="Missing, truncated or wrong images.")


class Timeouts(StrictModel):
    """Seconds after which something counts as broken."""

    connect: Seconds = Field(default=10, description="To open a connection.")
    reply: Seconds = Field(default=60, description="For one whole HTTP reply.")
    stall: Seconds = Field(default=300, description="A running job without any sign of life.")
    server_gone: Seconds = Field(
        default=600, description="All servers unreachable: the run gives up."
    )


class Recipe(TargetKeys):
    """A bulk run: a saved workflow, classes and prompts in, a dataset folder out."""

    workflow: PathOrName | None = Field(
        default=None,
        description="A workflow file, or the name of one that comes with manyshot. WebUIs "
        "reproduce it as far as they can; for WebUIs alone, use 'webui' instead.",
    )
    output: UserPath = Field(description="The dataset folder.")
    classes: list[str] | dict[str, str] | UserPath | None = Field(
        default=None,
        description="Class names; or class name: words for the prompt; or a text file, one "
        "per line. Default, as for the next three: the workflow's Class Prompts "
        "node.",
    )
    subjects: dict[str, UserPath] | UserPath | None = Field(
        default=None,
        description="Trained subjects: a file, a folder of them, or class name: file. "
        "Prompts use each subject's word for its class; without 'classes' their "
        "classes are drawn.",
    )
    each_draw: bool = Field(
        default=False,
        description="Draw with the subjects of each draw by themselves: 'subjects' has a folder "
        "for each, as `manyshot subject train` makes them of a recipe with 'each_draw', and "
        "'output' gets a dataset folder for each.",
    )
    pairs: Pairs | None = Field(
        default=None,
        description="Labelled photos to make jobs from, as $image, $mask and $control; "
        "without 'classes' their classes are drawn.",
    )
    any_base: bool = Field(
        default=False,
        description="Allow subjects on a checkpoint that they were not trained on.",
    )
    prompts: Prompts | None = None
    images_per_class: ImageCounts | None = Field(
        default=None, description="For each combination of the sweep; or class name: images."
    )
    top_up: UserPath | None = Field(
        default=None,
        description="A folder of your photos, a folder per class: they count as images of "
        "'images_per_class', so that classes come out even.",
    )
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)
    batch_size: Count | None = Field(
        default=None, description="Images per job; default: the workflow's."
    )
    images_per_job: Count | None = Field(
        default=None,
        description="Images that one job returns, if not batch_size: for workflows that "
        "repeat latents.",
    )
    bind: dict[str, BoundValue] = Field(
        default={},
        description="Node title.input: a value, a job field ($prompt, $negative, $seed, "
        "$class_name, $index, $subject, $token; of 'pairs' $image, $mask, $control, $labels, "
        "$mask_classes, $file_name; of a table of prompts its columns), a value for each class "
        "({cat: …, dog: …}), or a picture ({file: …} or {folder: …}).",
    )
    sweep: dict[str, list[Scalar]] = Field(
        default={},
        description="Node title.input: values, or a range; every combination is drawn, but of "
        "what is below 'zip', whose lists go together.",
    )
    coupled: list[list[str]] = Field(
        default=[], description="What 'zip' becomes: addresses of 'sweep' that go together."
    )
    save: str | list[str] | None = Field(
        default=None,
        description="The node whose images are kept, if the workflow has several; or a "
        "list, to keep an image of each node for every job.",
    )
    servers: list[ServerAddress] = Field(
        default=[ServerAddress(url="embedded")],
        min_length=1,
        description="'embedded', the address of a ComfyUI server, webui+http://… for that of a "
        "WebUI, or url with headers, bearer, basic, verify, in_flight.",
    )
    price_per_hour: float | None = Field(
        default=None, gt=0, description="Of one server, in any currency: runs say what they cost."
    )
    transport: Transport = Field(
        default="websocket",
        description="websocket: nothing is written on the server. view: fetch the saved files.",
    )
    retries: Retries = Retries()
    timeouts: Timeouts = Timeouts()

    @model_validator(mode="before")
    @classmethod
    def _expand_sweep(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "sweep" not in data:
            return data
        sweep, coupled = expand_sweep(data["sweep"])
        return {**data, "sweep": sweep, **({"coupled": coupled} if coupled else {})}

    @model_validator(mode="after")
    def _counts_agree(self) -> "Recipe":
        once = [a for a, v in self.bind.items() if isinstance(v, FileInput) and v.each]
        table = self.prompts is not None and self.prompts.file is not None
        counted = self.images_per_class is not None or self.top_up is not None
        if once and (counted or table):
            raise ValueError(
                f"bind {once[0]!r} takes every photo once, which says how many images there are. "
                "Remove 'each', or 'images_per_class', 'top_up' and 'prompts.file'"
            )
        if table and counted:
            raise ValueError(
                "'prompts.file' says how many images there are: a row each, or its column "
                "'images'. Remove 'images_per_class' and 'top_up'"
            )
        return self

    @model_validator(mode="after")
    def _coupled_addresses(self) -> "Recipe":
        for group in self.coupled:
            missing = next((address for address in group if address not in self.sweep), None)
            if missing or len({len(self.sweep[a]) for a in group if a in self.sweep}) > 1:
                raise ValueError(f"'coupled' names {missing or group}: not in 'sweep', or uneven")
        return self

    @model_validator(mode="after")
    def _something_to_draw(self) -> "Recipe":
        if self.workflow is not None:
            return self
        with_settings = [kind for kind in kinds() if kind.settings]
        set_kinds = [kind for kind in with_settings if kind.name in self.target_settings]
        if not set_kinds:
            keys = " or ".join(f"under {kind.name!r} what {kind.plural}" for kind in with_settings)
            raise ValueError(f"name a 'workflow', or say {keys} should draw")
        other = next((server.url for server in self.servers if server.kind not in set_kinds), None)
        if other:
            titles = " or ".join(f"a {kind.title}" for kind in set_kinds)
            examples = " and ".join(kind.example for kind in set_kinds)
            raise ValueError(
                f"the server {other!r} is not {titles} and needs a 'workflow'. Name one, or "
                f"use only servers such as {examples}"
            )
        return self

    @model_validator(mode="after")
    def _subjects_of_draws(self) -> "Recipe":
        if self.each_draw and not isinstance(self.subjects, Path):
            raise ValueError(
                "'each_draw' is for 'subjects', a folder that has one for each draw, as in "
                "subjects/5-0"
            )
        return self

    @property
    def workflow_name(self) -> str:
        """The workflow's file name; without one, the key that says what to draw."""
        return Path(self.workflow).name if self.workflow else next(iter(self.target_settings))

    @property
    def target_settings(self) -> dict[str, TargetSettings]:
        """What the recipe says of kinds of servers, by the kind's name."""
        values = {kind.name: getattr(self, kind.name, None) for kind in kinds() if kind.settings}
        return {name: value for name, value in values.items() if value is not None}

    @field_validator("classes")
    @classmethod
    def _classes(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, Path):
            check_class_names(value)
            return _normalise(value)
        return value

    @field_validator("subjects")
    @classmethod
    def _subjects(cls, value: Any) -> Any:
        if isinstance(value, dict):
            check_class_names(value)
            return _normalise(value)
        return value

    @field_validator("servers", mode="before", json_schema_input_type=list[ServerAddress | str])
    @classmethod
    def _short_servers(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [{"url": item} if isinstance(item, str) else item for item in value]

    @field_validator("save")
    @classmethod
    def _save(cls, value: str | list[str] | None) -> str | list[str] | None:
        if value == []:
            raise ValueError("the list is empty; name a node, or leave 'save' out")
        return value

    @field_validator("images_per_class")
    @classmethod
    def _image_counts(cls, value: int | dict[str, int] | None) -> int | dict[str, int] | None:
        if isinstance(value, dict):
            return {normalise_class(name): count for name, count in value.items()}
        return value

    @field_validator("sweep", mode="before", json_schema_input_type=SweepInput)
    @classmethod
    def _written_sweep(cls, value: Any) -> Any:
        return value  # `_expand_sweep` has read it: here is what editors may offer

    @field_validator("sweep")
    @classmethod
    def _sweep(cls, value: dict[str, list[Any]]) -> dict[str, list[Any]]:
        empty = next((address for address, values in value.items() if not values), None)
        if empty:
            raise ValueError(f"{empty!r} has no values")
        return value


def _normalise(classes: list[str] | dict[str, Any]) -> list[str] | dict[str, Any]:
    if isinstance(classes, dict):
        return {normalise_class(name): value for name, value in classes.items()}
    return [normalise_class(name) for name in classes]


def read_recipe(path: Path, settings: Sequence[str] | None = None, **changes: Any) -> Recipe:
    """The recipe in `path`, with `settings` and `changes` as `read_recipe_file` has them; of
    manyshot.json, the recipe that made its folder. Raises InputError.
    """
    if has_recipe(path):
        return change_recipe(Recipe, read_manifest_recipe(path), {}, path, settings, **changes)
    return read_recipe_file(Recipe, path, settings, **changes)


def parse_recipe(data: dict[str, Any], where: str) -> Recipe:
    """`data` as a Recipe. Raises InputError naming `where`, the key, and the nearest known key."""
    return parse_recipe_data(Recipe, data, where)
