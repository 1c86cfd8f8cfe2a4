"""Class Prompts: from class names and templates to lists of prompts, one for every image."""

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.lines import read_classes
from .prompt_lists import prompt_inputs, prompt_lists, prompt_outputs, read_prompts
from .schema import node_schema


class ManyshotClassPrompts(io.ComfyNode):
    """Every output is a list; the nodes that follow run once for each of its items."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotClassPrompts",
            display_name="Class Prompts",
            category="manyshot/prompts",
            search_aliases=["prompt list", "wildcards", "dynamic prompts", "dataset prompts"],
            description="Writes prompts for a labelled dataset: the same number per class, "
            "cycling through templates and contexts.",
            inputs=[
                io.String.Input(
                    "classes",
                    multiline=True,
                    default="cat\ndog",
                    tooltip="One class per line; it becomes the folder name. 'name: words' "
                    "uses other words in prompts, as in 'crane: a crane bird'.",
                ),
                *prompt_inputs("{class_name}"),
            ],
            outputs=prompt_outputs(),
        )

    @classmethod
    def validate_inputs(
        cls,
        classes: str | None,
        templates: str | None,
        contexts: str | None,
        lists: str | None,
        negative: str | None,
    ) -> bool | str:
        texts = (classes, templates, contexts, lists, negative)
        if any(text is None for text in texts):
            return True  # wired to another node: known only when it runs
        words, *rest = map(str, texts)
        try:
            read_prompts(read_classes(words), *rest)
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        classes: str,
        templates: str,
        contexts: str,
        lists: str,
        negative: str,
        images_per_class: int,
        seed: int,
    ) -> io.NodeOutput:
        prompts = read_prompts(read_classes(classes), templates, contexts, lists, negative)
        return prompt_lists(prompts, images_per_class, seed)
