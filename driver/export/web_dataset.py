"""WebDataset: <split>-000000.tar and on, with <key>.png, .mask.png, .json (the record) and .cls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from random import Random

from webdataset.writer import TarWriter

from .export_material import Material, Sample, Step

SHARD_BYTES = 500_000_000


def write_web_dataset(material: Material, folder: Path, seed: int, step: Step) -> None:
    """Write shards. They are read one after another, so the classes are shuffled, by `seed`."""
    done = count(1)
    for split, samples in material.splits.items():
        for number, shard in enumerate(_shards(_shuffle(samples, seed))):
            with _tar(folder / f"{split}-{number:06d}.tar") as tar:
                for sample in shard:
                    tar.write(_entries(sample, material))
                    step("writing", next(done), len(material.samples))
    material.masks.write_table(folder)


@contextmanager
def _tar(path: Path) -> Iterator[TarWriter]:
    """Opened here, as the library takes some names for commands; long names need PAX."""
    with (
        path.open("wb") as file,
        TarWriter(file, encoder=False, mtime=0, format="PAX_FORMAT") as tar,
    ):
        yield tar


def _shuffle(samples: Sequence[Sample], seed: int) -> list[Sample]:
    return Random(seed).sample(samples, len(samples))


def _shards(samples: Sequence[Sample]) -> list[list[Sample]]:
    """The samples in parts whose images have SHARD_BYTES or little more."""
    shards: list[list[Sample]] = [[]]
    size = 0
    for sample in samples:
        if size >= SHARD_BYTES:
            shards.append([])
            size = 0
        shards[-1].append(sample)
        size += sample.image.stat().st_size
    return shards


def _entries(sample: Sample, material: Material) -> dict[str, str | bytes]:
    entries: dict[str, str | bytes] = {
        "__key__": sample.key,
        sample.image.suffix.lower().lstrip("."): sample.image.read_bytes(),
        "json": sample.record.model_dump_json().encode(),
        "cls": str(sample.record.label).encode(),
    }
    if sample.mask is not None:
        entries[f"mask{sample.mask.suffix.lower()}"] = material.masks.data(sample.mask)
    return entries
