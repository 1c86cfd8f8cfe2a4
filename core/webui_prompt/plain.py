"""The words of a prompt without its syntax."""

from .attention import chunks
from .steps import schedule
from .values import Part, Prompt


def plain_text(prompt: Prompt, steps: int) -> str:
    """What the image shows in the end: the words of the last step, of the parts that count.

    Raises InputError as `chunks` does.
    """
    texts = [_words(subprompt, steps) for subprompt in prompt.parts if subprompt.weight > 0]
    return ", ".join(filter(None, texts))


def _words(subprompt: Part, steps: int) -> str:
    last = schedule(subprompt.phrase, steps)[-1].text
    texts = ["".join(piece.text for piece in chunk).strip() for chunk in chunks(last)]
    return ", ".join(filter(None, texts))
