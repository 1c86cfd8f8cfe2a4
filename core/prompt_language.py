r"""The languages of prompts, and words that mean nothing but themselves in them.

    comfyui   CLIP Text Encode: ( ) weight words, \( \) are letters
    webui     AUTOMATIC1111 and Forge, and the node WebUI Prompt: ( ) [ ] weight and edit words,
              AND, BREAK, <lora:…> and # are syntax

Text that people write as a prompt is in such a language. Class names, and what files say of
subjects, are data, and are escaped on their way into a prompt.
"""

import re
from typing import Literal

from .webui_prompt.from_comfy import from_comfy

Language = Literal["comfyui", "webui"]
PLAIN: Language = "comfyui"  # what prompts are in unless something says otherwise
WEBUI: Language = "webui"


def escape(words: str, language: Language = PLAIN) -> str:
    r"""`words` written so that a prompt shows them as they are: "crane (bird)" as "crane \(bird\)".

    Raises InputError for a #, which the WebUI's language cannot say.
    """
    plain = re.sub(r"[()]", r"\\\g<0>", words)
    return from_comfy(plain) if language == WEBUI else plain
