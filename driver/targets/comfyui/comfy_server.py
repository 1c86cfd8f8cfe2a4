"""One ComfyUI server of a run: reached or not, checked against the plan, made a backend."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....core.errors import ManyshotError, ServerError
from ...address import ServerAddress
from ...http import Http, Refused
from ...plan import Plan
from ...recipe import Recipe
from ...workflow.catalogue import Catalogue
from ..registry import kinds
from .check_families import check_families
from .check_jobs import check_subjects, preflight
from .comfy_backend import ComfyBackend
from .comfy_client import Comfy
from .models import model_facts


@dataclass(frozen=True)
class ComfyServer:
    """A `target.Server`. `catalogue` is None while it does not answer.

    `models` are its models folders, when they are on this machine; `revive` starts it anew.
    """

    name: str
    comfy: Comfy
    catalogue: Catalogue | None
    problem: str | None = None
    revive: Callable[[], None] | None = None
    models: tuple[Path, ...] = ()

    @property
    def reached(self) -> bool:
        return self.catalogue is not None

    def check(self, plan: Plan) -> None:
        """Raises InputError when it would refuse a job of the plan, misread its subjects, or steer
        its models by a ControlNet made for others; ServerError when it is away."""
        catalogue = self.catalogue or _catalogue(self.comfy, self.name)
        preflight(plan, catalogue, self.name)
        check_families(plan, catalogue, self.name, self.comfy)
        check_subjects(plan, self.name, self.comfy, self.models)

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Name, version, devices, the plan's model files."""
        try:
            stats = self.comfy.stats()
        except ServerError as error:
            return {"name": self.name, "problem": str(error)}
        system = stats.get("system")
        devices = stats.get("devices")
        return {
            "name": self.name,
            "comfyui": system.get("comfyui_version") if isinstance(system, dict) else None,
            "devices": [d.get("name") for d in devices] if isinstance(devices, list) else [],
            "models": model_facts(plan, self.comfy, self.models),
        }

    def backend(self, plan: Plan) -> ComfyBackend:
        """One that was away at the start is checked when it comes."""
        checked = self.reached

        def check() -> None:
            nonlocal checked
            if not checked:
                self.check(plan)
                checked = True

        return ComfyBackend(self.name, self.comfy, plan.recipe, plan.graphs, check, self.revive)

    def close(self) -> None:
        self.comfy.http.close()


def reach(name: str, address: ServerAddress, recipe: Recipe) -> ComfyServer:
    """The server at `address`, whether it answers or not."""
    comfy = Comfy(Http(address, recipe.timeouts.connect, recipe.timeouts.reply))
    try:
        return ComfyServer(name, comfy, _catalogue(comfy, name))
    except Refused as error:
        hint = _name_others(address) if error.status == 404 else ""
        return ComfyServer(name, comfy, None, f"{error}{hint}")
    except ManyshotError as error:  # away, or it answers something else
        return ComfyServer(name, comfy, None, str(error))


def _name_others(address: ServerAddress) -> str:
    """What to write for a server of another kind at this address."""
    prefixed = (kind for kind in kinds() if kind.prefix)
    return "".join(f" If it is a {k.title}, write {k.prefix}{address.base_url}." for k in prefixed)


def _catalogue(comfy: Comfy, name: str) -> Catalogue:
    return Catalogue.from_json(comfy.catalogue(), f"{name}/object_info")
