"""Class Prompts: from class names and templates to lists of prompts, one for every image."""

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.lines import content_lines, read_classes, read_lists
from ..core.prompts import MAX_SEED, PromptSet


class ManyshotClassPrompts(io.ComfyNode):
    """Every output is a list; the nodes that follow run once for each of its items."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ManyshotClassPrompts",
            display_name="Class Prompts",
            category="manyshot",
            description="Writes the prompts of a labelled dataset: every class, so many images "
            "each, with templates and contexts taking turns.",
            inputs=[
                io.String.Input(
                    "classes",
                    multiline=True,
                    default="cat\ndog",
                    tooltip="One class a line; it becomes the folder name. 'name: words' gives "
                    "prompts other words than the name, as in 'crane: a crane bird'.",
                ),
                io.String.Input(
                    "templates",
                    multiline=True,
                    default="a photo of a {class_name}\na close-up photo of a {class_name}",
                    tooltip="One prompt a line, taken in turn. {class_name} and {context} are "
                    "filled in, {red|blue} picks one, __colour__ picks from a list below.",
                ),
                io.String.Input(
                    "contexts",
                    multiline=True,
                    default="",
                    placeholder="contexts: on grass",
                    tooltip="Optional. Places, light, poses, one a line, taken in turn wherever "
                    "a template has {context}.",
                ),
                io.String.Input(
                    "lists",
                    multiline=True,
                    default="",
                    placeholder="lists, as in colour: red, blue",
                    tooltip="Optional. One list a line, as in 'colour: red, blue, green'. "
                    "__colour__ picks one of them.",
                ),
                io.String.Input(
                    "negative",
                    multiline=True,
                    default="",
                    placeholder="negative: blurry, drawing",
                    tooltip="What the images must not show; the same language as the templates.",
                ),
                io.Int.Input(
                    "images_per_class",
                    default=4,
                    min=1,
                    max=10_000,
                    tooltip="How many prompts each class gets. Raising it keeps the earlier ones.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=MAX_SEED,
                    control_after_generate=True,
                    tooltip="Decides every choice and every image's seed. The same seed gives the "
                    "same prompts on every machine.",
                ),
            ],
            outputs=[
                io.String.Output(
                    display_name="prompt",
                    is_output_list=True,
                    tooltip="One prompt for every image.",
                ),
                io.String.Output(
                    display_name="negative", is_output_list=True, tooltip="Its negative prompt."
                ),
                io.String.Output(
                    display_name="class_name",
                    is_output_list=True,
                    tooltip="Its class, for Save Labelled.",
                ),
                io.Int.Output(
                    display_name="seed", is_output_list=True, tooltip="Its own seed, for a sampler."
                ),
            ],
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
        try:
            _prompt_set(*map(str, texts))
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
        prompts = _prompt_set(classes, templates, contexts, lists, negative)
        rows = list(prompts.expand(images_per_class, seed))
        return io.NodeOutput(
            [row.prompt for row in rows],
            [row.negative for row in rows],
            [row.class_name for row in rows],
            [row.seed for row in rows],
        )


def _prompt_set(
    classes: str, templates: str, contexts: str, lists: str, negative: str
) -> PromptSet:
    return PromptSet(
        read_classes(classes),
        content_lines(templates),
        content_lines(contexts),
        " ".join(content_lines(negative)),
        read_lists(lists),
    )
