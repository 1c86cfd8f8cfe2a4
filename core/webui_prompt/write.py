"""A prompt as text again, in the form that the WebUI itself understands."""

from decimal import Decimal

from .attention import chunks
from .networks import put_networks
from .read import begins_with_not, ends_with_weight
from .steps import schedule
from .values import Alternation, Edit, Part, Phrase, Prompt


def write(prompt: Prompt) -> str:
    """The prompt as text. If it came from `parse`, `parse` of the text gives it again.

    In a prompt made otherwise, texts must have no syntax but balanced brackets.
    """
    first, *rest = [
        (write_phrase(subprompt.phrase), subprompt.weight) for subprompt in prompt.parts
    ]
    parts = [_part(*first), *(f"AND {_later(*other)}" for other in rest)]
    return put_networks(" ".join(parts), prompt.networks)


def write_phrase(phrase: Phrase) -> str:
    return "".join(map(_item, phrase))


def _part(text: str, weight: float) -> str:
    return f"{text} :{_number(weight)}" if weight != 1 or ends_with_weight(text) else text


def _later(text: str, weight: float) -> str:
    """A part behind an AND; words that begin with NOT are negated twice."""
    return f"NOT {_part(text, -weight)}" if begins_with_not(text) else _part(text, weight)


def _item(item: str | Edit | Alternation) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, Alternation):
        return f"[{'|'.join(map(write_phrase, item.options))}]"
    before = f"{write_phrase(item.before)}:" if item.before else ""
    return f"[{before}{write_phrase(item.after)}:{_number(item.when)}]"


def _number(value: int | float) -> str:
    """Without an exponent, which the WebUI does not read; floats with a point, which tells them
    from steps."""
    return format(Decimal(repr(value)), "f")


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
