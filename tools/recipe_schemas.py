"""Writes the JSON schemas of recipes, which editors use: `make docs` runs it."""

import json
from pathlib import Path

from manyshot.core.file_kinds import KINDS, MEASUREMENT, RUN, SUBJECT, RecipeKind
from manyshot.core.recipe_schema import SCHEMAS
from manyshot.driver.recipe import Recipe
from manyshot.trainer.measure.measure_recipe import MeasureRecipe
from manyshot.trainer.subjects.subject_recipe import SubjectRecipe
from pydantic import BaseModel

MODELS: dict[RecipeKind, type[BaseModel]] = {
    RUN: Recipe,
    MEASUREMENT: MeasureRecipe,
    SUBJECT: SubjectRecipe,
}


def schema_text(kind: RecipeKind) -> str:
    """The file of the schema of a kind of recipe."""
    return json.dumps(MODELS[kind].model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    for each in KINDS:
        Path(SCHEMAS).mkdir(exist_ok=True)
        (SCHEMAS / f"{each.key}.json").write_text(schema_text(each), encoding="utf-8")
