"""The figures as tables for people, part by part."""

from collections.abc import Callable, Mapping
from typing import Any

from manyshot.core.counted import in_percent, table

PICTURES = "tiny-"  # what the names of the evaluation's pictures begin with
Figures = Mapping[str, Any]
Line = tuple[str, ...]


def tables(figures: Figures, pictures: str = "pictures") -> str:
    """Markdown of all parts that `figures` (evaluation.json) has, in a fixed order.

    `pictures`: the folder of the contact sheets, as seen from the text.
    """
    return "\n\n".join(
        "\n\n".join(
            [
                f"### {title}",
                section(figures[name]),
                *[
                    f"![{alt}]({pictures}/{PICTURES}{file})"
                    for alt, file in _PICTURES.get(name, ())
                ],
            ]
        )
        for name, title, section in _PARTS
        if name in figures
    )


def percent(share: float) -> str:
    return in_percent(share, 1)


def _autoencoder(figures: Figures) -> str:
    placed = [(f"after {name}", f"{value:.2f}") for name, value in figures["anchors"].items()]
    return table(
        (f"{figures['images']} test images", "measured", "target"),
        [
            ("PSNR", f"{figures['psnr']:.1f} dB", ">= 26 dB"),
            ("Perceptual distance", f"{figures['perceptual']:.2f}", ""),
            *[(f"Perceptual distance {name}", value, "") for name, value in placed],
            ("Class agreement of what comes back, top-1", _with_error(figures), ""),
            ("Class agreement of what comes back, top-5", percent(figures["top5"]), ""),
        ],
    )


def _classes(figures: Figures) -> str:
    real, copies = figures["real"], figures["copies"]
    text = table(
        (f"{figures['images']} images, guidance {figures['guidance']:g}", *_CLASS_COLUMNS),
        [
            ("Class agreement, top-1", _with_error(figures), percent(real["top1"]), TOP1_TARGET),
            ("Class agreement, top-5", percent(figures["top5"]), percent(real["top5"]), ""),
            ("Species agreement", percent(figures["species"]), percent(real["species"]), ""),
            ("KID x 1000", f"{1000 * figures['kid']:.1f}", f"{1000 * real['kid']:.1f}", ""),
            *[
                (name.capitalize(), f"{figures[name]:.2f}", f"{real[name]:.2f}", "")
                for name in ("precision", "recall", "density", "coverage")
            ],
            *[
                (f"Near-copies of {split} images", *_copies(copies[split]), target)
                for split, target in (("pool", "< 2 %"), ("test", "0 %"))
            ],
        ],
    )
    sharpness = _sharpness(figures["beside_reconstructions"])
    return f"{text}\n\n{sharpness} {_extremes(figures['by_class'])}"


_CLASS_COLUMNS = ("generated", "real test images", "target")
TOP1_TARGET = ">= 60 % (trained on a CPU: 30 %)"
IOU_TARGET = ">= 0.80 (trained on a CPU: 0.60)"


def _sharpness(beside: Figures) -> str:
    shares = ", ".join(
        f"{name} {beside[name]:.2f}" for name in ("precision", "recall", "density", "coverage")
    )
    return (
        "Beside test images that went through the autoencoder, whose blur then no longer counts: "
        f"KID x 1000 {1000 * beside['kid']:.1f}, {shares}."
    )


def _with_error(row: Figures) -> str:
    return f"{percent(row['top1'])} ± {100 * row['error1']:.1f}"


def _copies(figures: Figures) -> Line:
    return percent(figures["share"]), percent(figures["real_share"])


def _extremes(by_class: Mapping[str, float], count: int = 5) -> str:
    order = sorted(by_class, key=lambda name: -by_class[name])
    best, worst = (
        ", ".join(f"{name} {in_percent(by_class[name])}" for name in names)
        for names in (order[:count], order[-count:])
    )
    return f"Best recognised: {best}. Worst: {worst}."


def _guidance(figures: Figures) -> str:
    rows = figures["rows"]
    head = (f"{rows[0]['images']} images each: guidance", *_SWEPT)
    lines = [(f"{row['cfg']:g}", *_swept(row)) for row in rows]
    return (
        f"{table(head, lines)}\n\nGuidance {figures['chosen']:g} is recommended: of those whose "
        "top-1 is within a standard error of the best, the one with the smallest KID."
    )


def _samplers(figures: Figures) -> str:
    head = (f"{figures['rows'][0]['images']} images each: sampler", *_SWEPT)
    lines = [(f"{r['sampler_name']} / {r['scheduler']}", *_swept(r)) for r in figures["rows"]]
    return table(head, lines)


_SWEPT = ("top-1", "top-5", "KID x 1000", "precision", "recall", "density", "coverage")


def _swept(row: Figures) -> Line:
    shares = (f"{row[name]:.2f}" for name in ("precision", "recall", "density", "coverage"))
    return _with_error(row), percent(row["top5"]), f"{1000 * row['kid']:.1f}", *shares


def _prompts(figures: Figures) -> str:
    swap, negative, pair = figures["swap"], figures["negative"], figures["pairs"]
    seeds, colours, near = figures["seeds"], figures["backgrounds"], figures["nearness"]
    return table(
        ("same seeds, another word", "measured", "if words did nothing"),
        [
            ("Another class word changes the probe's answer", percent(swap["changed"]), "0 %"),
            ("The class named becomes likelier", percent(swap["followed"]), "50 %"),
            (
                "A class as negative: the probe's chance for it",
                percent(negative["chance_with_it"]),
                f"{percent(negative['chance_with_another'])} with another class as negative",
            ),
            (
                "Two classes named: chance of the lesser",
                percent(pair["lesser"]),
                f"{percent(pair['lesser_one_named'])} with one of them named",
            ),
            (
                "Background of the colour named",
                percent(colours["agree"]),
                percent(colours["floor"]),
            ),
            *[
                (f'Share of the image that is pet, "{word}"', percent(share), "")
                for word, share in near.items()
            ],
            (
                "Largest difference of any pixel, same seed",
                f"{seeds['same_seed_largest']:.0f} of 255",
                "",
            ),
            (
                "Mean difference of pixels, another seed",
                f"{seeds['other_seed_mean']:.0f} of 255",
                "",
            ),
        ],
    )


def _segmentation(figures: Figures) -> str:
    return table(
        (f"{figures['images']} test masks", *_MASK_COLUMNS),
        [
            (
                "IoU of a segmenter's foreground with the mask",
                f"{figures['iou']:.2f}",
                IOU_TARGET,
                f"{figures['floor']:.2f}",
                f"{figures['real_iou']:.2f}",
                f"{figures['reconstructed_iou']:.2f}",
            ),
            ("Class agreement, top-1", _with_error(figures), *[""] * 4),
        ],
    )


_MASK_COLUMNS = (
    *("measured", "target", "against other masks", "of real photos"),
    "of photos through the autoencoder",
)


def _canny(figures: Figures) -> str:
    return table(
        (f"{figures['images']} test images", "measured", "edges of another image"),
        [
            (
                "Agreement of edges within a pixel, F1",
                f"{figures['f1']:.2f}",
                f"{figures['floor']:.2f}",
            ),
            ("of the picture's edges", f"{figures['precision']:.2f}", ""),
            ("of the control image's edges", f"{figures['recall']:.2f}", ""),
            ("Class agreement, top-1", _with_error(figures), ""),
        ],
    )


def _speed(row: Figures) -> str:
    return table(
        (f"{row['cores']} cores", "measured", "target"),
        [
            (
                f"An image, {row['steps']} steps with guidance, in batches of {row['batch']}",
                f"{row['seconds_an_image']:.2f} s",
                "<= 0.8 s",
            ),
            ("Other load on the cores at the start", f"{row['load']:.1f}", ""),
        ],
    )


_PARTS: tuple[tuple[str, str, Callable[[Figures], str]], ...] = (
    ("autoencoder", "Autoencoder", _autoencoder),
    ("classes", "Classes and diversity", _classes),
    ("guidance", "Guidance", _guidance),
    ("samplers", "Samplers", _samplers),
    ("prompts", "Prompts", _prompts),
    ("segmentation", "ControlNet segmentation", _segmentation),
    ("canny", "ControlNet canny", _canny),
    ("speed", "Speed", _speed),
)

_PICTURES: dict[str, tuple[tuple[str, str], ...]] = {
    "autoencoder": (("Test photos, there and back", "autoencoder.jpg"),),
    "classes": (
        ("Eight images of each breed", "classes.jpg"),
        ("The nearest pool images", "nearest-pool.png"),
        ("The nearest test images", "nearest-test.png"),
    ),
    "prompts": (("The same noise before backgrounds of seven colours", "backgrounds.jpg"),),
    "segmentation": (("Eight masks, eight seeds each", "segmentation.jpg"),),
    "canny": (("Edges of eight photos, eight seeds each", "canny.jpg"),),
}
