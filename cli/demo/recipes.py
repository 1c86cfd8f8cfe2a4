"""What the demo runs: the recipes that follow from its size, its method and its folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from ...core.files import write_text_atomic
from ...core.subject_file import Method
from ...driver.recipe import Recipe
from ...trainer.measure.photos import draw_folder
from ...trainer.measure.recipe import MeasureRecipe
from ...trainer.subjects.recipe import SubjectRecipe
from .sizes import Size

WORKFLOWS: dict[Method, str] = {
    "lora": "subject_lora",
    "textual_inversion": "subject_embedding",
    "dreambooth": "subject_dreambooth",
}
NOUN = "solar cell"
SERVER_GONE = 60  # seconds without the server after which the demo gives up


@dataclass(frozen=True)
class Demo:
    """One demo, and where its parts are."""

    size: Size
    method: Method
    folder: Path
    data: Mapping[str, Any] = field(default_factory=lambda: {"kind": "elpv"})

    @property
    def photos(self) -> Path:
        """A folder for each draw, with a folder for each class."""
        return self.folder / "photos"

    @property
    def pictures(self) -> Path:
        """A dataset folder for each draw."""
        return self.folder / "pictures"

    @property
    def results(self) -> Path:
        """The folder of results.json and report.html."""
        return self.folder / "results"

    @property
    def draws(self) -> list[str]:
        """The names of the draws."""
        return [draw_folder(self.size.shots, number) for number in range(self.size.draws)]

    def measurement(self) -> MeasureRecipe:
        """Real photos, with and without the pictures of each draw."""
        return MeasureRecipe.model_validate(
            {
                "data": self.data,
                "synthetic": self.pictures,
                "output": self.results,
                "shots": [self.size.shots],
                "draws": self.size.draws,
                "seeds": self.size.seeds,
                "arms": list(self.size.arms),
            }
        )

    def subjects(self, draw: str) -> SubjectRecipe:
        """One file for the classes of a draw together, or one for each where a file holds one word.

        Tokens and files of all draws are different: one server has them all.
        """
        ending = f"-m{self.draws.index(draw) + 1}"
        classes = {"folder": self.photos / draw, "noun": NOUN, "ending": ending}
        together = {} if self.method == "textual_inversion" else {"together": f"cells-{draw}"}
        settings = {"method": self.method, **self.size.training[self.method]}
        return SubjectRecipe.model_validate(
            {
                "output": self.folder / "subjects" / draw,
                "classes": classes,
                "settings": settings,
                "samples": 0,
                **together,
            }
        )

    def drawing(self, draw: str, server: str = "embedded") -> Recipe:
        """Pictures of every class with the subjects of a draw."""
        return Recipe.model_validate(
            {
                "workflow": WORKFLOWS[self.method],
                "subjects": self.folder / "subjects" / draw,
                "output": self.pictures / draw,
                "prompts": {"templates": ["a photo of a {subject}"]},
                "images_per_class": self.size.images,
                "batch_size": self.size.batch,
                "bind": dict(self.size.sampler),
                "servers": [server],
                "timeouts": {"server_gone": SERVER_GONE},
            }
        )

    def write_recipes(self) -> Path:
        """Write them all as files, for `manyshot subject train`, `run` and `measure`."""
        folder = self.folder / "recipes"
        _write(folder / "measure.yaml", self.measurement())
        for draw in self.draws:
            _write(folder / f"subjects_{draw}.yaml", self.subjects(draw))
            _write(folder / f"pictures_{draw}.yaml", self.drawing(draw))
        return folder


def _write(path: Path, recipe: BaseModel) -> None:
    values = recipe.model_dump(mode="json", exclude_unset=True)
    write_text_atomic(path, yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
