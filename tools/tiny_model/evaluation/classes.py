"""Autoencoder, guidance, samplers, classes and speed: what plain prompts show."""

import os
import shutil
from dataclasses import asdict
from statistics import median
from typing import Any

import numpy as np
from manyshot.driver.embedded.log import execution_seconds
from manyshot.trainer.contact_sheets import Row, write_sheet
from manyshot.trainer.near_copies import search_copies
from manyshot.trainer.pair_sheet import write_nearest_pairs

from ..figures.class_figures import (
    agreement_figures,
    choose_guidance,
    class_figures,
    class_table,
    fidelity_to,
    real_figures,
    swept_figures,
)
from ..figures.dataset_images import DatasetImages, sources
from ..figures.reconstruction import reconstruction_figures
from . import recipes
from .work import Work

Figures = dict[str, Any]
STEPS = 20  # as the workflows have it
SPEED_BATCH, SPEED_BATCHES = 8, 6
SHOWN = 8  # of each class on the sheet


def autoencoder(work: Work) -> Figures:
    """Test images through stock VAE Encode and VAE Decode: what no drawn image can surpass."""
    dataset = work.reconstructed
    photos, back = list(dataset.sources()[:SHOWN]), list(dataset.images[:SHOWN])
    rows = [Row("photos", photos), Row("there and back", back)]
    write_sheet(work.picture("autoencoder.jpg"), rows)
    labels = np.array([entry.label for entry in sources(dataset, work.tools.test.entries)])
    return {
        **reconstruction_figures(work.tools.session, dataset),
        **agreement_figures(work.tools, work.tools.features(dataset), labels),
    }


def guidance(work: Work) -> Figures:
    """Agreement and diversity at several strengths, and the one to use."""
    recipe = recipes.guidance(work.words, work.few, work.strengths)
    dataset = work.drawn("guidance", recipe)
    rows = swept_figures(work.tools, dataset, recipes.SWEPT_GUIDANCE)
    return {"rows": rows, "chosen": choose_guidance(rows)}


def samplers(work: Work) -> Figures:
    """The same for samplers and schedulers."""
    recipe = recipes.samplers(work.words, work.few, work.guidance)
    dataset = work.drawn(f"samplers-{work.guidance:g}", recipe)
    return {"rows": swept_figures(work.tools, dataset, recipes.SWEPT_SAMPLER)}


def classes(work: Work) -> Figures:
    """Whether `each` images of every class show it, how near to real ones they are, and copies."""
    recipe = recipes.from_prompts(work.words, work.each, work.guidance)
    dataset = work.drawn(f"classes-{work.guidance:g}", recipe)
    rows = work.tools.features(dataset)
    labels = work.tools.labels([record.class_name for record in dataset.records])
    _write_class_sheet(work, dataset)
    return {
        "guidance": work.guidance,
        **class_figures(work.tools, rows, labels),
        "real": real_figures(work.tools, labels),
        "beside_reconstructions": fidelity_to(work.tools, work.reconstructed, rows),
        "by_class": class_table(work.tools, rows, labels),
        "copies": _copies(work, dataset),
    }


def speed(work: Work) -> Figures:
    """ComfyUI's own execution times of batches; the first, which loads the model, is left out."""
    shutil.rmtree(work.stage.folder / "speed", ignore_errors=True)  # a resumed run times nothing
    start, load = work.stage.server.log.stat().st_size, os.getloadavg()[0]
    recipe = recipes.from_prompts(
        {work.tools.names[0]: ""}, SPEED_BATCH * SPEED_BATCHES, work.guidance
    )
    work.stage.draw("speed", {**recipe, "batch_size": SPEED_BATCH})
    seconds = execution_seconds(work.stage.server.log, start)[1:]
    return {
        "seconds_an_image": median(seconds) / SPEED_BATCH,
        "batches": len(seconds),
        "batch": SPEED_BATCH,
        "steps": STEPS,
        "cores": os.cpu_count(),
        "load": load,
    }


def _copies(work: Work, dataset: DatasetImages) -> Figures:
    """Near-copies of pool and test images, and pictures of the nearest pairs."""
    images = {"pool": work.tools.pool.images, "test": work.tools.test.images}
    copies_by_split = {}
    for split, other in (("pool", "test"), ("test", "pool")):
        copies, neighbours = search_copies(
            list(dataset.images), list(images[split]), list(images[other])
        )
        path = work.picture(f"nearest-{split}.png")
        write_nearest_pairs(path, list(dataset.images), list(images[split]), neighbours)
        copies_by_split[split] = asdict(copies)
    return copies_by_split


def _write_class_sheet(work: Work, dataset: DatasetImages) -> None:
    names = [record.class_name for record in dataset.records]
    shown = {name: [] for name in dict.fromkeys(names)}
    for name, image in zip(names, dataset.images, strict=True):
        shown[name].append(image)
    rows = [Row(name, images[:SHOWN]) for name, images in shown.items()]
    write_sheet(work.picture("classes.jpg"), rows, columns=2)
