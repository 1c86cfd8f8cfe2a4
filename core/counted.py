"""Numbers in sentences: 1 image, 1,200 images, 62 %."""


def pluralize(count: int, singular: str, plural: str | None = None) -> str:
    """`count` with its noun, and whatever else changes with it: "image was", "images were".

    Without `many` the noun takes an s.
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def describe_shortfall(received: int, expected: int) -> str:
    """What a server delivered of the images that a job should bring."""
    return f"{pluralize(received, 'image')} received, {expected:,} expected."


def in_percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as all texts write it, and the names of arms: "62 %"."""
    return f"{100 * share:.{digits}f} %"
