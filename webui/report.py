"""How a run ended."""

from dataclasses import dataclass, field

from PIL import Image

SHOWN = 16  # images that go to the page


@dataclass
class Report:
    """How a run ended: counts of images, the latest ones with their infotexts, sentences."""

    planned: int
    done: int = 0
    images: list[Image.Image] = field(default_factory=list)
    infotexts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stopped: bool = False

    def sentence(self, folder: str) -> str:
        ended = "Stopped: " if self.stopped else ""
        again = " Run it again to continue." if self.done < self.planned else ""
        return f"{ended}{self.done} of {self.planned} images are in {folder}.{again}"
