"""ComfyUI's HTTP API, as far as the driver needs it."""

from typing import Any
from urllib.parse import quote

from ....core.errors import ServerError
from ....core.json_text import dicts
from ...http import Http, Refused, Unreachable
from ...job import Failure
from ...workflow.graph import Graph
from .completion import FileRef, Found


class Comfy:
    """One ComfyUI server. Every method may raise http.Unreachable or http.Refused."""

    def __init__(self, http: Http) -> None:
        self.http = http

    def catalogue(self) -> dict[str, Any]:
        """What nodes and model files the server has: its `/object_info`."""
        return self._dict("/object_info")

    def stats(self) -> dict[str, Any]:
        """Version and devices: its `/system_stats`."""
        return self._dict("/system_stats")

    def model_metadata(self, name: str, folder: str | None = None) -> dict[str, Any]:
        """What a model file says of itself; {} when the server shows nothing.

        `folder` is the models folder it is in; without one it is guessed.
        """
        kind = folder or ("checkpoints" if "lora" not in name.lower() else "loras")
        reply = self.http.get_json(f"/view_metadata/{kind}?filename={quote(name)}")
        return reply if isinstance(reply, dict) else {}

    def model_sizes(self, folder: str) -> dict[str, int]:
        """Name -> bytes of the files in a models folder; nothing where the server does not say."""
        listed = dicts(self.http.get_json(f"/experiment/models/{folder}"))
        sizes = [(file.get("name"), file.get("size")) for file in listed]
        return {n: size for n, size in sizes if isinstance(n, str) and isinstance(size, int)}

    def families(self) -> Any:
        """Which kinds of models it has, where it has manyshot's nodes: `/manyshot/families`."""
        return self.http.get_json("/manyshot/families")

    def submit(self, graph: Graph, prompt_id: str, client_id: str) -> Failure | None:
        """Queue `graph`. Returns why the server refused it, wholly or in part, or None.

        A partly refused prompt (HTTP 200 with node_errors) was queued all the same: cancel it.
        """
        data = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id}
        try:
            reply = self.http.post_json("/prompt", data)
        except Refused as error:
            if error.status != 400:
                raise
            return Failure("invalid", refusal(error.body) or str(error))
        if not isinstance(reply, dict) or reply.get("prompt_id") != prompt_id:
            raise Unreachable(
                f"The server {self.http.address.base_url}/prompt did not confirm the prompt "
                "(manyshot needs ComfyUI 0.3.75 or newer there)."
            )
        errors = reply.get("node_errors")
        return Failure("invalid", refusal(reply)) if errors else None

    def find(self, prompt_id: str) -> Found:
        """Where a prompt is. History is asked before and after the queue: between two questions a
        job may end."""
        return (
            self._in_history(prompt_id)
            or self._in_queue(prompt_id)
            or self._in_history(prompt_id)
            or Found("gone")
        )

    def cancel(self, prompt_id: str) -> None:
        """Stop exactly this prompt, waiting or running; nothing of anybody else."""
        self.http.post_json("/queue", {"delete": [prompt_id]})
        self.http.post_json("/interrupt", {"prompt_id": prompt_id})

    def free(self) -> None:
        """Ask the server to drop its models and cache (after it ran out of memory)."""
        self.http.post_json("/free", {"unload_models": True, "free_memory": True})

    def forget(self, prompt_ids: list[str]) -> None:
        """Take finished prompts out of the history, where they would fill its memory."""
        self.http.post_json("/history", {"delete": prompt_ids})

    def file(self, ref: FileRef) -> bytes:
        query = {"filename": ref.filename, "subfolder": ref.subfolder, "type": ref.type}
        return self.http.get_file("/view", query)

    def upload(self, name: str, data: bytes, subfolder: str) -> str:
        """Upload a picture; returns the value that LoadImage takes for it."""
        form = {"subfolder": subfolder, "type": "input", "overwrite": "true"}
        reply = self.http.post_file("/upload/image", name, data, form)
        if not isinstance(reply, dict) or not isinstance(reply.get("name"), str):
            raise ServerError(
                f"{self.http.address.base_url} accepted an upload without returning its name."
            )
        folder = reply.get("subfolder") or ""
        return f"{folder}/{reply['name']}" if folder else reply["name"]

    def upload_size(self, name: str, subfolder: str) -> int | None:
        """The bytes of an uploaded picture; None where there is none, or a proxy hides it."""
        query = {"filename": name, "subfolder": subfolder, "type": "input"}
        return self.http.file_size("/view", query)

    def _in_history(self, prompt_id: str) -> Found | None:
        entry = self._dict(f"/history/{prompt_id}").get(prompt_id)
        return Found("history", entry) if entry is not None else None

    def _in_queue(self, prompt_id: str) -> Found | None:
        queue = self._dict("/queue")
        if _lists(queue.get("queue_running"), prompt_id):
            return Found("running")
        return Found("queued") if _lists(queue.get("queue_pending"), prompt_id) else None

    def _dict(self, path: str) -> dict[str, Any]:
        reply = self.http.get_json(path)
        if not isinstance(reply, dict):
            raise Unreachable(f"{self.http.address.base_url}{path} is not a reply from ComfyUI.")
        return reply


def refusal(body: Any) -> str:
    """ComfyUI's error reply in one sentence: node, input and what is wrong with it."""
    body = body if isinstance(body, dict) else {}
    node_errors = body.get("node_errors")
    parts = [
        f"node {node_id} ({entry.get('class_type')}): {_detail(problem)}"
        for node_id, entry in (node_errors if isinstance(node_errors, dict) else {}).items()
        if isinstance(entry, dict)
        for problem in _items(entry.get("errors")) or [{}]
    ]
    error = body.get("error")
    whole = str(error.get("message", "")) if isinstance(error, dict) else str(error or "")
    return "; ".join(parts) or whole or f"refused: {node_errors!r}"


def _detail(problem: Any) -> str:
    problem = problem if isinstance(problem, dict) else {}
    message, details = str(problem.get("message", "refused")), str(problem.get("details", ""))
    return f"{message} ({details})" if details else message


def _lists(items: Any, prompt_id: str) -> bool:
    return any(isinstance(item, list) and prompt_id in item[1:2] for item in _items(items))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
