"""One WebUI of a run: reached or not, checked against the plan, made a backend."""

from typing import Any

from ....core.errors import ManyshotError
from ...address import ServerAddress
from ...http import Http, Refused
from ...plan import Plan
from ...recipe import Recipe
from .check_plan import check
from .dialect import Dialect, read_dialect
from .requests import find_requests
from .webui_backend import WebUIBackend
from .webui_client import WebUI, same_file

REFRESHED = ("checkpoints", "vae", "loras", "embeddings")


class WebUIServer:
    """A `target.Server`. `dialect` is what it says of itself, None while it does not answer; it is
    asked anew each time it comes back."""

    catalogue = None  # no nodes

    def __init__(
        self, name: str, client: WebUI, dialect: Dialect | None, problem: str | None = None
    ) -> None:
        self.name, self.problem = name, problem
        self._client = client
        self._dialect = dialect

    @property
    def reached(self) -> bool:
        return self.problem is None

    def check(self, plan: Plan) -> None:
        """Raises InputError when it cannot do a job of the plan; ServerError when it is away."""
        check(plan, self._require_dialect(), self.name)

    def facts(self, plan: Plan) -> dict[str, Any]:
        """Name, and the plan's models with their hashes, as far as the server has made them."""
        if self._dialect is None:
            return {"name": self.name, "problem": self.problem}
        checkpoints = {find_requests(plan).request(job).checkpoint for job in plan.samples()}
        return {
            "name": self.name,
            "webui": True,
            "models": [
                {"name": str(model.get("model_name")), "sha256": model.get("sha256")}
                for model in self._dialect.checkpoints
                if any(same_file(str(model.get("model_name")), name) for name in checkpoints)
            ],
        }

    def backend(self, plan: Plan) -> WebUIBackend:
        fresh = self.reached  # it was asked and checked a moment ago

        def check_again() -> None:
            nonlocal fresh
            if not fresh:
                self._dialect = _ask(self._client)
                self.check(plan)
            fresh = False

        stall = plan.recipe.timeouts.stall
        return WebUIBackend(
            self.name, self._client, find_requests(plan), stall, self._require_dialect, check_again
        )

    def close(self) -> None:
        self._client.http.close()

    def _require_dialect(self) -> Dialect:
        assert self._dialect is not None  # nothing is drawn before it was checked
        return self._dialect


def reach(address: ServerAddress, recipe: Recipe) -> WebUIServer:
    """The WebUI at `address`, whether it answers or not."""
    name = address.base_url
    client = WebUI(Http(address, recipe.timeouts.connect, recipe.timeouts.reply))
    try:
        return WebUIServer(name, client, _ask(client))
    except Refused as error:
        return WebUIServer(name, client, None, _advice(error))
    except ManyshotError as error:
        return WebUIServer(name, client, None, str(error))


def _ask(client: WebUI) -> Dialect:
    """What it has; new files included, unless it would have to end somebody's work first."""
    if not client.progress().busy:
        client.refresh(*REFRESHED)
    return read_dialect(client)


def _advice(error: Refused) -> str:
    if error.status != 404:
        return str(error)
    return f"{error} Is it a WebUI, and was it started with --api?"
