"""The file of trained subjects: a .safetensors whose header says what it holds and how prompts
call it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, TypeAdapter
from safetensors import SafetensorError, safe_open

from .classes import normalise_class
from .errors import InputError
from .files import check_regular
from .json_text import parse_json

Method = Literal["textual_inversion", "lora", "dreambooth"]
MODEL_FOLDERS: dict[Method, str] = {
    "textual_inversion": "embeddings",
    "lora": "loras",
    "dreambooth": "checkpoints",
}
"""Where a server looks for a file of each method, below its models folder."""
KEY = "manyshot.subjects"
MOST_HEADER = 2**20  # characters of that text: thousands of photos need no more


@dataclass(frozen=True)
class Subject:
    """`token` is the learned word, `noun` says what it is, `word` is how prompts call it.

    `class_name`: what a dataset calls it. `photos`: sha256 of each photo that it was learned from;
    `contexts`: backgrounds and poses, as the captions of these photos say them. `boxes`: a digest
    of where the subject is in each photo, None in files that do not say.
    """

    token: str
    noun: str
    word: str
    class_name: Annotated[str, AfterValidator(normalise_class)]
    photos: tuple[str, ...]
    contexts: tuple[str, ...] = ()
    boxes: str | None = None


@dataclass(frozen=True)
class SubjectFile:
    """`base`: name and sha256 of the model that it was trained on.

    `step`: of the weights kept, of `steps` taken in `seconds` (0: not known). `settings`: the
    trainer's own, as JSON.
    """

    method: Method
    base: str
    base_digest: str
    subjects: tuple[Subject, ...]
    step: int
    steps: int
    settings: str
    seconds: float = 0.0

    def metadata(self) -> dict[str, str]:
        """As the texts of a safetensors header, with the names of the model spec beside ours."""
        first = self.subjects[0]
        return {
            "modelspec.sai_model_spec": "1.0.0",
            "modelspec.title": " ".join(subject.token for subject in self.subjects),
            "modelspec.trigger_phrase": first.word,
            KEY: json.dumps(asdict(self)),
        }


def read_subject_file(path: Path) -> SubjectFile:
    """What a trained file says of itself. Raises InputError for a file that is not one of ours."""
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} is not a .safetensors file. Other formats can run code and are refused."
        )
    try:
        check_regular(path)
        with safe_open(path, "np") as file:
            text = (file.metadata() or {}).get(KEY)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    if text is None:
        raise InputError(f"{path} was not trained by manyshot: its header does not say so.")
    try:
        return parse_facts(parse_json(text, MOST_HEADER))
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"The header of {path} cannot be understood: {reason}.") from None


def parse_facts(values: Any) -> SubjectFile:
    """A SubjectFile of its values as JSON has them.

    Raises ValueError for values that are none.
    """
    subject_file = _FACTS.validate_python(values)
    if not subject_file.subjects:
        raise ValueError("it names no subject")
    return subject_file


_FACTS = TypeAdapter(SubjectFile)
