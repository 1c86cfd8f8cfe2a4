"""Numbers in sentences: 1 image, 1,200 images, 62 %."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """`count` with its noun, and whatever else changes with it: "image was", "images were".

    Without `many` the noun takes an s.
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def came_of(got: int, wanted: int) -> str:
    """What a server delivered of the images that a job should bring."""
    return f"{counted(got, 'image')} came, {counted(wanted, 'was', 'were')} expected."


def in_percent(share: float, digits: int = 0) -> str:
    """A share from 0 to 1 as all texts write it, and the names of arms: "62 %"."""
    return f"{100 * share:.{digits}f} %"
