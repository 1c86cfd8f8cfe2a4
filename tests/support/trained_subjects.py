"""Subject files with a strong effect, made without training: what nodes and driver load."""

from pathlib import Path

import pytest
from manyshot.core.subject_file import MODEL_FOLDERS, Method, Subject, SubjectFile
from manyshot.core.tiny_files import TINY_MODEL
from manyshot.driver.embedded.source import find_installed

NAMES: dict[Method, str] = {
    "lora": "spot-m1",
    "textual_inversion": "spot-m2",
    "dreambooth": "spot-m3",
}
NOISE: dict[Method, float] = {"lora": 0.03, "textual_inversion": 0.05, "dreambooth": 0.01}


def write_trained(models: Path) -> dict[Method, Path]:
    """A file of each method on manyshot-tiny, in a server's models folder."""
    pytest.importorskip("peft")
    pytest.importorskip("diffusers")
    return {method: _write(method, models) for method in NAMES}


def _write(method: Method, models: Path) -> Path:
    import torch
    from manyshot.trainer.stable_diffusion.architecture import load_tokenizer
    from manyshot.trainer.subjects.open_base import open_base
    from manyshot.trainer.subjects.subject_settings import Settings
    from manyshot.trainer.subjects.token_embeddings import Token
    from manyshot.trainer.subjects.train_subject import adapt_base

    source = find_installed()
    assert source is not None
    base = open_base(TINY_MODEL, load_tokenizer(source.folder / "comfy" / "sd1_tokenizer"))
    token = Token(NAMES[method], "dog")
    settings = Settings(method=method, rank=2, vectors=2)
    adapted = adapt_base(base, [token], settings)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in [p for own in adapted.parameters.values() for p in own]:
            parameter += NOISE[method] * torch.randn(parameter.shape, generator=generator)
    word = f"embedding:{token.word}" if adapted.inverted else adapted.word(token)
    subject = Subject(token.word, token.noun, word, "Spot", ("0" * 64,))
    facts = SubjectFile(method, base.name, base.digest, (subject,), 1, 1, "{}")
    path = models / MODEL_FOLDERS[method] / f"{token.word}.safetensors"
    adapted.write(path, facts.metadata())
    return path
