"""Class names x templates x contexts -> one resolved prompt for every image.

Everything about image `index` of a class follows from (seed, class_name, index) alone: adding a
class, or raising the number of images, changes no other image.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from math import gcd, lcm
from typing import NamedTuple

from .classes import check_class_names
from .counted import did_you_mean
from .errors import InputError
from .phrases import Phrase, find_slots, render
from .webui_prompt import Language
from .webui_prompt.from_comfy import escape
from .wildcards import WordLists, parse

MAX_SEED = 2**50 - 1  # what ComfyUI's front end draws from; larger ones lose digits in a browser
NAMES: tuple[str, ...] = (
    "class_name",
    "subject",
)  # slots for a class's words; which of them makes no difference
SHOWN = "classes"  # the slot for all classes that an image's mask shows
SLOTS = (*NAMES, SHOWN, "context")


class ResolvedPrompt(NamedTuple):
    """What one image is made from."""

    class_name: str
    prompt: str
    negative: str
    seed: int


class PromptSet:
    """All prompts of a dataset; see `at`.

    `classes` are names, or names with the words prompts use for them ("" = the name itself).
    Words, templates, contexts and the negative are in the language of core/wildcards.py;
    templates and the negative know {class_name}, {subject} (the same), {classes} (what the image's
    mask shows, "cat and dog"; without a mask the same again) and {context}. `words` are those of
    classes that only masks show, which go by their names otherwise. Names are escaped for
    `language`, that of what encodes the prompts.

    Raises InputError for wrong text, for classes as `check_class_names` does, for no template, for
    contexts without {context} or the other way round, and for a template that cannot tell several
    classes apart.
    """

    def __init__(
        self,
        classes: Mapping[str, str] | Iterable[str],
        templates: Sequence[str],
        contexts: Sequence[str] = (),
        negative: str = "",
        lists: Mapping[str, Sequence[str]] | None = None,
        words: Mapping[str, str] | None = None,
        language: Language = "comfyui",
    ) -> None:
        word_lists = WordLists(lists or {})
        self._language: Language = language
        self._words = _class_words(classes, word_lists, language)
        self._shown = _phrases(words or {}, word_lists, language) | self._words
        self._templates = _parse_numbered(templates, "Template", SLOTS, word_lists)
        self._contexts = _parse_numbered(contexts, "Context", (), word_lists) or [("",)]
        self._negative = parse(negative, "The negative", SLOTS, word_lists)
        self._period = lcm(len(self._templates), len(self._contexts))
        self._check_use(bool(contexts))

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order given, which is the order of their labels."""
        return tuple(self._words)

    def at(
        self,
        class_name: str,
        index: int,
        seed: int,
        shown: Sequence[str] = (),
        step: int = 1,
    ) -> ResolvedPrompt:
        """The prompt of image `index` (from 0) of a class, the same on every machine.

        `step`: images that share a prompt, where only every `step`-th index is asked for.

        `shown`: the classes that its mask shows, in any order of their own (LabelMask.shown). They
        change neither the image's seed nor its template. Raises InputError for a class that is not
        in the set; one that is only shown may have any name.
        """
        if class_name not in self._words:
            near = did_you_mean(class_name, self._words)
            raise InputError(f"There is no class {class_name!r}.{near}")
        draw = _Draws(f"{seed}\0{index}\0{class_name}".encode())
        template, context = self._turn(index, step)
        words = dict.fromkeys(NAMES, render(self._words[class_name], {}, draw))
        words["context"] = render(context, {}, draw)
        words[SHOWN] = join_words(
            [self._word(name, class_name, words, draw) for name in shown or [class_name]]
        )
        return ResolvedPrompt(
            class_name,
            render(template, words, draw),
            render(self._negative, words, draw),
            draw.seed,
        )

    def expand(self, images_per_class: int, seed: int) -> Iterator[ResolvedPrompt]:
        """Every prompt, class by class."""
        for class_name in self._words:
            for index in range(images_per_class):
                yield self.at(class_name, index, seed)

    def _word(self, name: str, class_name: str, words: Mapping[str, str], draw: "_Draws") -> str:
        """The words of a shown class; those of the image's own class were drawn before."""
        if name == class_name:
            return words["class_name"]
        return render(self._shown.get(name) or _name(name, self._language), {}, draw)

    def _turn(self, index: int, step: int) -> tuple[Phrase, Phrase]:
        """Template and context take turns; after each period the contexts move on by one, so
        that every pair comes once in len(templates) * len(contexts) images."""
        templates, contexts = self._templates, self._contexts
        if step > 1 and _skips(len(templates), len(contexts), step):
            index //= step
        shift = index + index // self._period
        return templates[index % len(templates)], contexts[shift % len(contexts)]

    def _check_use(self, contexts: bool) -> None:
        if not self._templates:
            raise InputError("No template is given. Write one, such as: a photo of a {class_name}")
        used = [find_slots(template) for template in self._templates]
        for number, names in enumerate(used, 1):
            if "context" in names and not contexts:
                raise InputError(f"Template {number} has {{context}}, but there are no contexts.")
            if names.isdisjoint((*NAMES, SHOWN)) and len(self._words) > 1:
                raise InputError(
                    f"Template {number} has no {{class_name}}: every class would look the same."
                )
        if contexts and not any("context" in names for names in used):
            raise InputError("There are contexts, but no template has {context} to put them in.")


@cache
def _skips(templates: int, contexts: int, step: int) -> bool:
    """Whether indexes 0, step, 2 step, ... never come to some template or context. Only then turns
    are counted in steps: other recipes keep the prompts, and so the job ids, that they had."""
    if gcd(templates, step) > 1:
        return True
    period = lcm(templates, contexts)
    reached: set[int] = set()
    for index in range(0, period * contexts, gcd(step, period * contexts)):
        reached.add((index + index // period) % contexts)
        if len(reached) == contexts:
            return False
    return True


class _Draws:
    """Numbers in [0, 1) from a hash of `key`: cheap to begin, and fixed for all time, which
    Python's own generators do not promise."""

    def __init__(self, key: bytes) -> None:
        self._key = hashlib.blake2b(key, digest_size=24).digest()
        self._count = 0

    @property
    def seed(self) -> int:
        """The image's seed; it depends on no choice."""
        return int.from_bytes(self._key[:8], "big") & MAX_SEED

    def __call__(self) -> float:
        self._count += 1
        digest = hashlib.blake2b(self._key + self._count.to_bytes(4, "big"), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) * 2.0**-53


def _class_words(
    classes: Mapping[str, str] | Iterable[str], lists: WordLists, language: Language
) -> dict[str, Phrase]:
    pairs = list(classes.items()) if isinstance(classes, Mapping) else [(c, "") for c in classes]
    check_class_names(name for name, _ in pairs)
    return _phrases(dict(pairs), lists, language)


def _phrases(words: Mapping[str, str], lists: WordLists, language: Language) -> dict[str, Phrase]:
    return {
        name: parse(text, f"Class {name!r}", (), lists) if text else _name(name, language)
        for name, text in words.items()
    }


def _name(name: str, language: Language) -> Phrase:
    """A class's own name. Raises InputError for one that the language cannot say."""
    try:
        return (escape(name, language),)
    except InputError as error:
        raise InputError(f"{error} Choose other words for the class {name!r}.") from None


def join_words(words: Sequence[str]) -> str:
    """As a sentence lists them: "cat", "cat and dog", "cat, dog and bird"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _parse_numbered(
    texts: Sequence[str], what: str, slots: Sequence[str], lists: WordLists
) -> list[Phrase]:
    return [parse(text, f"{what} {n}", slots, lists) for n, text in enumerate(texts, 1)]
