"""What ComfyUI's log says: the last lines, node packs that did not load, how long prompts took."""

import re
from pathlib import Path

NODE_FAILURE = re.compile(
    r"^(?:Error while calling comfy_entrypoint in (?P<entry>.+?):"
    r"|Cannot import (?P<module>.+?) module for custom nodes:) (?P<reason>.*)$"
)
TAIL_BYTES = 16_384
EXECUTED = re.compile(rb"Prompt executed in (\d+\.\d+) seconds")


def last_lines(log: Path, count: int = 12) -> str:
    """The last `count` lines that say something; empty when there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def find_failed_packs(log: Path) -> dict[Path, str]:
    """Node packs that ComfyUI could not load: folder -> the reason it gives."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        failures = [match for line in lines if (match := NODE_FAILURE.match(line))]
    return {Path(match["entry"] or match["module"]): match["reason"] for match in failures}


def execution_seconds(log: Path, start: int = 0) -> list[float]:
    """How long ComfyUI says that each prompt took, in order, from byte `start` of its log on.

    (Those of ten minutes and more, which it writes in another way, are left out.)
    """
    with log.open("rb") as file:
        file.seek(start)
        return [float(seconds) for seconds in EXECUTED.findall(file.read())]
