"""Subject: a trained subject put onto the models, and the words that prompts call it by."""

from typing import Any

from comfy_api.latest import io

from ..core.errors import InputError
from .schema import node_schema
from .subject_files import find_subject, subject_names
from .subject_models import Models, with_subject


class ManyshotSubject(io.ComfyNode):
    """One node for the three kinds of files; DreamBooth's makes the connected models unneeded."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return node_schema(
            node_id="ManyshotSubject",
            display_name="Load Trained Subject",
            category="manyshot/subjects",
            search_aliases=["load LoRA", "load embedding", "subject token"],
            description="Applies a trained subject: adds its LoRA to the model, loads its "
            "DreamBooth checkpoint, or uses its embedding, and outputs the "
            "words for the prompt.",
            inputs=[
                io.Combo.Input(
                    "subject",
                    options=subject_names(),
                    tooltip="A file trained by manyshot, from the folders loras, embeddings "
                    "and checkpoints. Press R after adding one.",
                ),
                io.String.Input(
                    "token",
                    default="",
                    tooltip="Which subject to use, if the file contains several. Empty: the first.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=-10.0,
                    max=10.0,
                    step=0.05,
                    tooltip="LoRA strength; ignored by the other methods.",
                ),
                io.Model.Input(
                    "model",
                    optional=True,
                    lazy=True,
                    tooltip="The model the subject was trained on, or one of the same "
                    "family. Not used for DreamBooth, whose file is a full model.",
                ),
                io.Clip.Input(
                    "clip",
                    optional=True,
                    lazy=True,
                    tooltip="That model's text encoder. Not used for DreamBooth.",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    lazy=True,
                    tooltip="That model's VAE, passed through. Not used for DreamBooth.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model that draws the subject."),
                io.Clip.Output(display_name="clip", tooltip="Its text encoder."),
                io.Vae.Output(display_name="vae", tooltip="Its VAE."),
                io.String.Output(
                    display_name="words",
                    tooltip="The subject's words in prompts, such as 'sks dog' or 'embedding:sks'.",
                ),
                io.String.Output(
                    display_name="class_name", tooltip="Its class name in the dataset: its folder."
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, subject: str | None, token: str | None) -> bool | str:
        if subject is None:
            return True  # wired to another node: known only when it runs
        try:
            find_subject(subject).subject(token or "")
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, subject: str | None, **_inputs: Any) -> str:
        """New when the file is: ComfyUI's cache knows only its name."""
        try:
            stat = find_subject(subject or "").path.stat()
        except (InputError, OSError):
            return ""
        return f"{stat.st_size} {stat.st_mtime_ns}"

    @classmethod
    def check_lazy_status(cls, subject: str, **inputs: Any) -> list[str]:
        if find_subject(subject).facts.method == "dreambooth":
            return []
        return [name for name in Models._fields if name in inputs and inputs[name] is None]

    @classmethod
    def execute(
        cls,
        subject: str,
        token: str,
        strength: float,
        model: Any = None,
        clip: Any = None,
        vae: Any = None,
    ) -> io.NodeOutput:
        file = find_subject(subject)
        learned = file.subject(token)
        models = with_subject(file, strength, Models(model, clip, vae))
        return io.NodeOutput(*_block_missing(models), file.words(learned), learned.class_name)


def _block_missing(models: Models) -> list[Any]:
    """The models; in place of a missing one the sentence that a node which uses it shows."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return [
        value
        if value is not None
        else ExecutionBlocker(f"Load Trained Subject's input {name!r} is not connected.")
        for name, value in zip(Models._fields, models, strict=True)
    ]
