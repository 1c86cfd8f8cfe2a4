"""What the cells of tables say."""

from ....core.counted import in_percent

Line = tuple[str, ...]
METHODS = {"textual_inversion": "Textual Inversion", "lora": "LoRA", "dreambooth": "DreamBooth"}


def number(value: float | None, digits: int = 3) -> str:
    """The number, or nothing for None."""
    return "" if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """The share (0 to 1) in percent, or nothing for None."""
    return "" if share is None else in_percent(share)
