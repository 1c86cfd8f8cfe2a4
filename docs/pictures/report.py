"""Makes report.png: the top of the page that `manyshot measure` leaves beside its results.

    manyshot measure recipe.yaml
    python docs/pictures/report.py runs/pets/report.html

It needs Chromium and playwright.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
MAX_BYTES = 300_000
SIZE = {"width": 1040, "height": 1060}


def main(report: Path) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport=SIZE, color_scheme="light")
        page.goto(report.resolve().as_uri())
        picture = page.screenshot()
        chromium.close()
    # A drawing of few colours: a palette packs it far better.
    plain = Image.open(BytesIO(picture)).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    plain.save(HERE / "report.png", optimize=True)
    size = (HERE / "report.png").stat().st_size
    assert size < MAX_BYTES, f"report.png has {size} bytes"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
