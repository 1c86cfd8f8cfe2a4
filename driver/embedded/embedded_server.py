"""A real ComfyUI that lives as long as the block that uses it."""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from ...core.errors import ServerError
from ...core.loopback import LOOPBACK_ONLY
from .base_directory import Base, hold_base, prepare_base, release_base
from .cache_folders import models_folder
from .ports import LOOPBACK, reserve_port
from .process import GuardedProcess
from .ready import PortTaken, ServerFacts, check_packs, wait_until_ready
from .server_settings import Progress, ServerSettings, device_arguments, silent
from .source import Source, check_requirements, ensure_installed, own_source

ATTEMPTS = 3


class EmbeddedServer:
    """`with EmbeddedServer(settings) as server:` is ComfyUI at server.url, gone afterwards.

    It also ends when this process does, whatever ends it. Entering raises InputError for
    settings that cannot be met (requirements, folders, port) and ServerError for a ComfyUI that
    dies, does not answer in time or loads a node pack only in part.
    """

    def __init__(self, settings: ServerSettings | None = None, progress: Progress = silent) -> None:
        self.settings = settings or ServerSettings()
        self._progress = progress
        self._base: Base | None = None
        self._process: GuardedProcess | None = None
        self._source: Source | None = None
        self._device: list[str] = []
        self._port = self.settings.port
        self._facts: ServerFacts | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """Where it answers: "http://127.0.0.1:PORT"; the same again after restart()."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def port(self) -> int:
        """Of 127.0.0.1; 0 before it is started where any will do."""
        return self._port

    @property
    def log(self) -> Path:
        """ComfyUI's log file; the earlier ones are beside it."""
        return self._require_base().log

    @property
    def folder(self) -> Path:
        """The base directory, with models/, custom_nodes/, input/ and output/."""
        return self._require_base().folder

    @property
    def model_folders(self) -> tuple[Path, ...]:
        """Folders laid out as models/ whose files it offers."""
        return self.folder / "models", self.settings.models or models_folder()

    @property
    def facts(self) -> ServerFacts:
        """Version and device, as the server names them."""
        if self._facts is None:
            raise ServerError("The embedded server has not been started.")
        return self._facts

    @property
    def process(self) -> GuardedProcess:
        """The running process and its guardian."""
        if self._process is None:
            raise ServerError("The embedded server has not been started.")
        return self._process

    def alive(self) -> bool:
        """Whether ComfyUI's process runs."""
        return self._process is not None and self._process.wait(0) is None

    def start(self) -> None:
        """Start it and wait until it answers; installs ComfyUI first where it is missing."""
        self._source = self._find_source()
        self._base = hold_base(self.settings.base_directory)
        try:
            prepare_base(self._base, self._source, self.settings)
            self._device = device_arguments(self.settings.device, self.settings.python)
            self._launch()
        except OSError as error:
            folder = self._base.folder
            self.close()
            raise ServerError(f"The embedded server cannot use {folder}: {error}.") from error
        except BaseException:
            self.close()
            raise

    def restart(self) -> None:
        """End it and start it again at the same url; its queue and history are lost."""
        self.process.stop()
        self._launch()

    def wait(self) -> None:
        """Wait until ComfyUI's process ends."""
        self.process.wait(None)

    def kill(self) -> None:
        """kill -9 ComfyUI, for fault tests; restart() brings it back."""
        self.process.kill()

    def detach(self) -> None:
        """Leave it running after this process; from now on it is its guardian that ends it."""
        self.process.detach()
        os.close(self._require_base().lock)  # the guardian and ComfyUI hold it too
        self._process, self._base = None, None

    def close(self) -> None:
        """End it and let go of its folder. Does nothing a second time."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._base is not None:
            release_base(self._base)
            self._base = None

    def _find_source(self) -> Source:
        if self.settings.comfyui is not None:
            return own_source(self.settings.comfyui)
        source = ensure_installed(self._progress)
        check_requirements(source.folder)
        return source

    def _launch(self) -> None:
        assert self._source is not None
        where = "on the CPU" if "--cpu" in self._device else "on the GPU"
        self._progress(f"Starting ComfyUI {self._source.version} {where} (about 15 s)")
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._launch_once(self._source)
            except PortTaken:
                self.process.stop()
                if self.settings.port or attempt == ATTEMPTS:
                    raise
                self._port = 0
            else:
                return

    def _launch_once(self, source: Source) -> None:
        base = self._require_base()
        with reserve_port(self._port) as port:
            command = [str(self.settings.python), str(source.folder / "main.py")]
            command += _arguments(base, source, port) + self._device + list(self.settings.arguments)
            # Whoever has it listen elsewhere calls it by other names than this machine's.
            hosts = {} if "--listen" in self.settings.arguments else {LOOPBACK_ONLY: "1"}
            self._process = GuardedProcess(command, base.folder, base.log, base.lock, **hosts)
            self._port = port
            timeout = self.settings.start_timeout
            self._facts = wait_until_ready(self.url, self._process, base, timeout)
        check_packs(base)

    def _require_base(self) -> Base:
        if self._base is None:
            raise ServerError("The embedded server has not been started.")
        return self._base


def _arguments(base: Base, source: Source, port: int) -> list[str]:
    """ComfyUI's arguments: loopback only, no browser, no paid API nodes, our folders."""
    folder = base.folder
    arguments = ["--listen", LOOPBACK, "--port", str(port), "--disable-auto-launch"]
    arguments += ["--disable-api-nodes", "--extra-model-paths-config", str(base.model_paths)]
    arguments += ["--database-url", f"sqlite:///{folder / 'user' / 'comfyui.db'}"]
    if not source.users_own:
        return [*arguments, "--base-directory", str(folder)]
    for name in ("input", "output", "temp", "user"):
        arguments += [f"--{name}-directory", str(folder / name)]
    return arguments
