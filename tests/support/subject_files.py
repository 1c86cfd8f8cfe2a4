"""Small subject files for tests: a true header around next to no weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from manyshot.core.subject_file import Method, Subject, SubjectFile
from safetensors.numpy import save_file


def subject(class_name: str, token: str = "", **changes: object) -> Subject:
    token = token or f"{class_name}-m1"
    photos, contexts = (f"{class_name:0<64}",), (f"on {class_name} grass",)
    return replace(
        Subject(token, "dog", f"{token} dog", class_name, photos, contexts),
        **changes,  # pyright: ignore[reportArgumentType]
    )


def write_subjects(
    path: Path,
    *subjects: Subject,
    method: Method = "lora",
    base_digest: str = "b" * 64,
    weight: float = 0.0,
) -> SubjectFile:
    """A file that holds `subjects`; another `weight` makes another content."""
    facts = SubjectFile(method, "tiny", base_digest, subjects, 40, 50, "{}")
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({"weight": np.full(1, weight, np.float32)}, path, facts.metadata())
    return facts
