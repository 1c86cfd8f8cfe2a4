"""Train Subject: a few photos become a file that Load Trained Subject picks."""

from typing import TYPE_CHECKING, Any, get_args

from comfy_api.latest import io

from ..core.classes import normalise_class
from ..core.errors import InputError
from ..core.paths import safe_name
from ..core.subject_file import Method
from .schema import node_schema

if TYPE_CHECKING:
    from torch import Tensor


class ManyshotTrainSubject(io.ComfyNode):
    """Takes all photos at once, whether they come as a list or as a batch."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        from folder_paths import get_filename_list

        return node_schema(
            node_id="ManyshotTrainSubject",
            display_name="Train Subject",
            category="manyshot/subjects",
            search_aliases=["train LoRA", "DreamBooth", "textual inversion", "fine-tune"],
            description="Trains a subject on three to ten photos and writes its file into "
            "the server's models. Interrupt keeps the progress; running again "
            "resumes.",
            is_input_list=True,
            is_output_node=True,
            inputs=[
                io.Image.Input("images", tooltip="The photos: a batch or a list, three to ten."),
                io.Mask.Input(
                    "masks",
                    optional=True,
                    tooltip="A mask per photo, so that crops always show the subject.",
                ),
                io.String.Input(
                    "token",
                    default="subject-m1",
                    tooltip="The new word, also the file name. Choose one without a "
                    "meaning, such as 'rex-m1'.",
                ),
                io.String.Input(
                    "noun",
                    default="dog",
                    tooltip="What the subject is, such as 'dog' or 'solar cell'.",
                ),
                io.String.Input(
                    "class_name",
                    default="",
                    tooltip="Its class and folder name in the dataset. Empty: the token.",
                ),
                io.Combo.Input(
                    "base",
                    options=get_filename_list("checkpoints"),
                    tooltip="The checkpoint to train on: manyshot-tiny, SD 1.x or SDXL.",
                ),
                io.Combo.Input(
                    "method",
                    options=list(get_args(Method)),
                    default="lora",
                    tooltip="lora: small and close to the photos. textual_inversion: tiny, the "
                    "model stays as it is. dreambooth: a whole checkpoint.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=1_000_000,
                    tooltip="Maximum number of steps; 0: the method's default. Stops "
                    "earlier when the loss on a held-out photo no longer improves.",
                ),
                io.Float.Input(
                    "rate",
                    default=0.0,
                    min=0.0,
                    max=1.0,
                    step=0.00001,
                    round=0.0000001,
                    tooltip="Peak learning rate; 0: the method's default.",
                ),
                io.Int.Input(
                    "rank",
                    default=16,
                    min=1,
                    max=320,
                    tooltip="lora only: the rank. Higher keeps more detail, and more of the "
                    "photos' backgrounds.",
                ),
                io.Int.Input(
                    "vectors",
                    default=4,
                    min=1,
                    max=32,
                    tooltip="textual_inversion only: how many prompt tokens the word uses.",
                ),
                io.Int.Input(
                    "prior",
                    default=0,
                    min=0,
                    max=10_000,
                    tooltip="Prior preservation: images of the noun, generated first and "
                    "trained on with the photos, so that the noun keeps its "
                    "meaning. 0: none.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=2**32 - 1,
                    control_after_generate=False,
                    tooltip="Seed for all random choices in training.",
                ),
            ],
            outputs=[
                # Fits combos and text boxes alike.
                io.Custom("STRING,COMBO").Output(
                    display_name="subject", tooltip="The file's name, for Load Trained Subject."
                )
            ],
        )

    @classmethod
    def validate_inputs(
        cls, token: list[str | None], noun: list[str | None], class_name: list[str | None]
    ) -> bool | str:
        try:
            _check_names(token[0], noun[0], class_name[0])
        except InputError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(
        cls, token: list[str | None], method: list[Method | None], **_inputs: Any
    ) -> str:
        """New when the file is gone: ComfyUI's cache would not train it again."""
        from .subject_training import model_file

        name, how = token[0], method[0]
        return str(bool(name and how and model_file(how, f"{name}.safetensors")))

    @classmethod
    def execute(
        cls,
        images: "list[Tensor]",
        token: list[str],
        noun: list[str],
        class_name: list[str],
        masks: "list[Tensor] | None" = None,
        **settings: list[Any],
    ) -> io.NodeOutput:
        from .subject_training import Order, train

        _check_names(token[0], noun[0], class_name[0])
        options = {name: values[0] for name, values in settings.items()}
        name = normalise_class(class_name[0] or token[0])
        order = Order(token[0], noun[0], name, options.pop("base"), options)
        done = train(order, images, masks or [])
        return io.NodeOutput(done.name, ui={"images": done.shown})


def _check_names(token: str | None, noun: str | None, class_name: str | None) -> None:
    """Raises InputError for a name that cannot be used; None is not known yet."""
    if token is not None:
        safe_name(token, "token")
    if noun is not None and not noun.strip():
        raise InputError(
            "The noun is empty. Say in a word or two what the subject is, such as dog or cup."
        )
    if class_name:
        safe_name(normalise_class(class_name), "class name")
