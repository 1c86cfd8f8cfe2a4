"""Prompt with Subject: the prompts of one trained subject, one for every image."""

from comfy_api.latest import io

from ..core.errors import InputError
from ..core.webui_prompt.from_comfy import escape
from ..core.wildcards import literal
from .prompt_lists import prompt_inputs, prompt_lists, prompt_outputs, read_prompts
from .schema import node_schema


class ManyshotSubjectPrompts(io.ComfyNode):
    """Class Prompts for a class whose words come from a Subject node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotSubjectPrompts",
            display_name="Prompt with Subject",
            category="manyshot/prompts",
            search_aliases=["subject prompts", "token prompts", "dreambooth prompts"],
            description="Writes prompts for a trained subject, cycling through templates "
            "and contexts.",
            inputs=[
                io.String.Input(
                    "words",
                    force_input=True,
                    tooltip="The subject's words in prompts, from Subject; they replace {subject}.",
                ),
                io.String.Input(
                    "class_name",
                    force_input=True,
                    tooltip="Its class name in the dataset, from Subject; also the folder name.",
                ),
                *prompt_inputs("{subject}"),
            ],
            outputs=prompt_outputs(),
        )

    @classmethod
    def validate_inputs(
        cls, templates: str | None, contexts: str | None, lists: str | None, negative: str | None
    ) -> bool | str:
        texts = (templates, contexts, lists, negative)
        if any(text is None for text in texts):
            return True  # wired to another node: known only when it runs
        try:
            read_prompts({"subject": ""}, *map(str, texts))
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def execute(
        cls,
        words: str,
        class_name: str,
        templates: str,
        contexts: str,
        lists: str,
        negative: str,
        images_per_class: int,
        seed: int,
    ) -> io.NodeOutput:
        called = {class_name: literal(escape(words))}
        prompts = read_prompts(called, templates, contexts, lists, negative)
        return prompt_lists(prompts, images_per_class, seed)
