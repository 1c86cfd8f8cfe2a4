"""What Class Prompts and Prompt with Subject share: the same inputs, and the same four lists."""

from collections.abc import Mapping, Sequence

from comfy_api.latest import io

from ..core.lines import content_lines, read_lists, read_words
from ..core.prompts import MAX_SEED, PromptSet, ResolvedPrompt


def prompt_inputs(slot: str) -> list[io.Input]:
    """Templates and all that fills them; `slot` is what the node calls a class's words."""
    count = io.Int.Input(
        "images_per_class",
        default=4,
        min=1,
        max=10_000,
        tooltip="Prompts per class. Raising it keeps the earlier ones.",
    )
    return [*text_inputs(slot), count, seed_input()]


def text_inputs(slot: str) -> list[io.Input]:
    """Templates, and all that fills them but the classes."""
    return [
        io.String.Input(
            "templates",
            multiline=True,
            default=f"a photo of a {slot}\na close-up photo of a {slot}",
            tooltip=f"One prompt per line, used in turn. {slot} and {{context}} are filled "
            f"in, {{red|blue}} picks one, __colour__ picks from a list below.",
        ),
        io.String.Input(
            "contexts",
            multiline=True,
            default="",
            placeholder="contexts: on grass",
            tooltip="Optional. Places, light, poses, one per line, used in turn wherever a "
            "template has {context}.",
        ),
        io.String.Input(
            "lists",
            multiline=True,
            default="",
            placeholder="lists, as in colour: red, blue",
            tooltip="Optional. One list per line, as in 'colour: red, blue, green'. "
            "__colour__ picks an item.",
        ),
        io.String.Input(
            "negative",
            multiline=True,
            default="",
            placeholder="negative: blurry, drawing",
            tooltip="What the images must not show; same syntax as the templates.",
        ),
    ]


def seed_input() -> io.Input:
    """Every choice follows from it."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=MAX_SEED,
        control_after_generate=True,
        tooltip="Seed for every choice and for the images' own seeds. The same seed gives "
        "the same prompts on every machine.",
    )


def prompt_outputs() -> list[io.Output]:
    """Four lists, each with an item for every image."""
    return [
        io.String.Output(
            display_name="prompt", is_output_list=True, tooltip="One prompt for every image."
        ),
        io.String.Output(
            display_name="negative", is_output_list=True, tooltip="Its negative prompt."
        ),
        io.String.Output(
            display_name="class_name",
            is_output_list=True,
            tooltip="Its class, for Save Labelled Images.",
        ),
        io.Int.Output(
            display_name="seed", is_output_list=True, tooltip="Its own seed, for a sampler."
        ),
    ]


def read_prompts(
    classes: Mapping[str, str],
    templates: str,
    contexts: str,
    lists: str,
    negative: str,
    words: str = "",
) -> PromptSet:
    """The prompts that the boxes say. Raises InputError as PromptSet does."""
    return PromptSet(
        classes,
        content_lines(templates),
        content_lines(contexts),
        " ".join(content_lines(negative)),
        read_lists(lists),
        read_words(words),
    )


def prompt_lists(prompts: PromptSet, images_per_class: int, seed: int) -> io.NodeOutput:
    """All prompts as the lists of `prompt_outputs`."""
    return rows_output(list(prompts.expand(images_per_class, seed)))


def rows_output(rows: Sequence[ResolvedPrompt]) -> io.NodeOutput:
    """The lists of `prompt_outputs`."""
    return io.NodeOutput(
        [row.prompt for row in rows],
        [row.negative for row in rows],
        [row.class_name for row in rows],
        [row.seed for row in rows],
    )
