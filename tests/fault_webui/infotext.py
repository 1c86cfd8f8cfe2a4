"""The text that a WebUI writes into each image."""

import json
from collections.abc import Mapping
from typing import Any


def infotext(prompt: str, negative: str, facts: Mapping[str, Any]) -> str:
    """Prompt, negative prompt and a line of facts; those that are None are left out."""
    said = ", ".join(
        f"{name}: {_quoted(value)}" for name, value in facts.items() if value is not None
    )
    words = f"\nNegative prompt: {negative}" if negative else ""
    return f"{prompt}{words}\n{said}".strip()


def _quoted(value: Any) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(c in text for c in ",\n:") else text
