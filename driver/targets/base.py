"""What a folder of `targets` says of its kind of server, so that recipes can name it."""

from dataclasses import dataclass

from ...core.webui_prompt import PLAIN, Language
from ..inputs import StrictModel


class TargetSettings(StrictModel):
    """A recipe's key for a kind of server: how it draws the jobs. A recipe that has it needs no
    workflow for such servers, and its prompts are in `language` then."""

    language: Language = PLAIN


@dataclass(frozen=True)
class Kind:
    """A kind of server.

    `name`: its folder, and the recipe's key for `settings`, if it has any. `title` and `plural`
    are what sentences call it. `prefix` stands before its addresses, `forms` show how they are
    written, and `example` is one of them. `module` has its `TARGET`, which `target.load_target`
    imports when a server of this kind is used.
    """

    name: str
    title: str
    plural: str
    module: str
    prefix: str
    forms: tuple[str, ...]
    example: str
    settings: type[TargetSettings] | None = None
    description: str = ""

    def owns(self, address: str) -> bool:
        """Whether an address of a recipe's sweep is a setting of this kind, and not a node's."""
        return self.settings is not None and address.startswith(f"{self.name}.")
