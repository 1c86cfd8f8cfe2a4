"""A run: recipe in, dataset folder out."""

import logging
import sqlite3
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core.errors import ManyshotError
from .audit import Audit, audit
from .contact_sheet import write_contact_sheets
from .dataset import merge_servers, run_log, write_manifest, write_metadata
from .defaults import class_words
from .dispatch import Dispatch, real_clock
from .job import Failure, Job
from .ledger import Counts, Ledger
from .model_use import check_replaced, explain_unhashed, remember_models, unsure_sentences
from .plan import Plan, with_replacements
from .prepare import explain_plan, prepare
from .recipe import Recipe
from .run_progress import RunProgress
from .take_over import NO_WISHES, Takeover, Wishes, take_over
from .targets.target import Installation, Local, Server, first_catalogue, open_servers
from .worker import Worker
from .writer import Writer

log = logging.getLogger(__name__)
HOPELESS = 12  # jobs that failed for good before any was delivered: the run stops


class Screen(Protocol):
    """Who is told how the run goes."""

    def step(self, text: str) -> None: ...
    def warn(self, text: str) -> None: ...
    def reading(self, read: int, total: int) -> None: ...
    def planning(self, read: int, total: int) -> None: ...
    def watch(
        self, progress: RunProgress, workers: list[Worker]
    ) -> AbstractContextManager[None]: ...


@dataclass(frozen=True)
class Summary:
    """How a run ended. `stopped` tells why, if not because all was done.

    `done` of `planned` images are on the disk, besides those that are rejected. `gone` and
    `damaged`: images of done jobs that somebody removed or changed while the run went on.
    """

    folder: Path
    counts: Counts
    progress: RunProgress
    seconds: float
    taken: Takeover
    done: int
    planned: int
    gone: int
    damaged: int
    failures: list[tuple[str, str, int]]
    contact_sheet: Path | None
    stopped: str | None
    interrupted: bool

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        return 1 if self.stopped or not self.is_whole else 0

    @property
    def is_whole(self) -> bool:
        """Whether exactly what was asked for, less what is rejected, is there."""
        open_jobs = self.counts.failed + self.counts.pending
        return not open_jobs and self.done + self.counts.rejected == self.planned


def run(
    recipe: Recipe,
    screen: Screen,
    program: Installation | None = None,
    wishes: Wishes = NO_WISHES,
    running: Mapping[str, Any] | None = None,
) -> Summary:
    """Make the dataset folder of `recipe`, going on from whatever is there.

    `program`: the user's own installation, for a server on this machine. `running`: what runs here
    already for the recipe's servers and has its subjects, by kind.

    Raises InputError before anything is queued when something does not fit, ServerError when no
    server answers. What goes wrong later is in the Summary.
    """
    local = Local(program, screen.step, running or {})
    with open_servers(recipe, local) as servers:
        plan = prepare(recipe, first_catalogue(servers), screen.reading)
        for server in (server for server in servers if server.reached):
            server.check(plan)
        ledger = Ledger(recipe.output)
        try:
            facts = [server.facts(plan) for server in servers]
            models = check_replaced(plan, ledger, facts)
            for sentence in (
                *explain_plan(plan),
                *unsure_sentences(facts),
                *explain_unhashed(facts),
            ):
                screen.warn(sentence)
            plan, takeover = _take_over_folder(plan, ledger, wishes, screen)
            remember_models(ledger, models)
            with run_log(recipe.output):
                return _work(plan, ledger, servers, screen, takeover)
        except (OSError, sqlite3.DatabaseError) as error:
            cause = getattr(error, "strerror", None) or error
            raise ManyshotError(f"The folder {recipe.output} cannot be written: {cause}.") from None
        finally:
            ledger.close()


def _take_over_folder(
    plan: Plan, ledger: Ledger, wishes: Wishes, screen: Screen
) -> tuple[Plan, Takeover]:
    """The folder in step with the plan, and with what replaces its rejected images."""
    folder, classes = plan.recipe.output, list(class_words(plan.recipe))
    plan = with_replacements(plan, ledger)
    takeover = take_over(folder, plan, classes, ledger, wishes, screen.planning)
    if wishes.replace:
        ledger.replace_rejected()
        plan = with_replacements(plan, ledger)
        take_over(folder, plan, classes, ledger, wishes, screen.planning)
    return plan, takeover


class _Run:
    """The threads of a run, and the ways it can end early."""

    def __init__(self, plan: Plan, ledger: Ledger, servers: list[Server]) -> None:
        self.plan, self.ledger = plan, ledger
        done, planned = ledger.images()
        self.progress = RunProgress(planned, done)
        self.stopped: str | None = None
        self.dispatch = Dispatch(ledger, plan.recipe.retries, real_clock)
        self.writer = Writer(plan.recipe.output, ledger, lambda error: self.stop(str(error)))
        self.backends = [server.backend(plan) for server in servers]
        self.workers = [
            Worker(backend, plan.bound.render_inputs, self.dispatch, self.writer, self)
            for backend in self.backends
        ]

    def start(self) -> None:
        for backend in self.backends:
            backend.start()
        for worker in self.workers:
            worker.start()

    def wait(self) -> None:
        """Until all is done, or nothing can be done any more."""
        patience = self.plan.recipe.timeouts.server_gone
        while not self.stopped and not self.dispatch.is_over():
            time.sleep(0.05)
            now = time.monotonic()
            away = [w.health for w in self.workers if not w.health.up]
            if len(away) == len(self.workers):
                latest = max(away, key=lambda health: health.down_since)
                if now - latest.down_since > patience:
                    self.stop(f"No server was usable for {patience:g} s. {latest.reason}")

    def stop(self, reason: str | None = None) -> None:
        self.stopped = self.stopped or reason
        self.dispatch.stop()
        for worker in self.workers:
            worker.stop()

    def close(self) -> None:
        """Wait for the threads; what was delivered is on the disk afterwards."""
        for worker in self.workers:
            worker.join()
        self.writer.close()

    def on_delivered(self, server: str, job: Job, seconds: float) -> None:
        self.progress.count_delivery(server, job, seconds)

    def on_retry(self, server: str, job: Job, failure: Failure) -> None:
        log.info("job %s on %s: %s: %s", job.id, server, failure.kind, failure.reason)
        self.progress.count_retry(server, job, failure)

    def on_failed(self, server: str, job: Job, failure: Failure) -> None:
        log.warning("job %s failed on %s: %s", job.id, server, failure.reason)
        try:
            self.ledger.mark_failed(job.id, failure)
        except sqlite3.DatabaseError as error:
            self.stop(f"The ledger cannot be written: {error}.")
        self.progress.count_failure(server, job, failure)
        if failure.kind == "count" and self.progress.images == 0:
            self.stop(failure.reason)
        if self.progress.images == 0 and self.progress.failed_jobs >= HOPELESS:
            self.stop(f"The first {HOPELESS} jobs all failed: {failure.reason}")

    def on_broken(self, server: str, reason: str) -> None:
        self.stop(f"{server}: {reason}")


def _work(
    plan: Plan, ledger: Ledger, servers: list[Server], screen: Screen, takeover: Takeover
) -> Summary:
    folder, started = plan.recipe.output, time.monotonic()
    log.info("%d jobs, %s", len(plan), ", ".join(server.name for server in servers))
    facts = [server.facts(plan) for server in servers]
    write_manifest(folder, plan, merge_servers(folder, facts))
    threads = _Run(plan, ledger, servers)
    interrupted = False
    try:
        with screen.watch(threads.progress, threads.workers):
            threads.start()
            threads.wait()
    except KeyboardInterrupt:
        interrupted = True
        screen.step("Stopping: jobs in flight are cancelled, finished images are kept")
    finally:
        threads.stop()
        threads.close()
    seconds = time.monotonic() - started
    state = audit(folder, ledger)
    sheet = _finish(plan, ledger, threads, facts, state)
    gone = sum(file.kind == "images" for file in state.gone)
    damaged = sum(file.kind == "images" for file in state.damaged)
    done, planned = ledger.images()
    return Summary(
        folder=folder,
        counts=ledger.counts(),
        progress=threads.progress,
        seconds=seconds,
        taken=takeover,
        done=done - gone - damaged,
        planned=planned,
        gone=gone,
        damaged=damaged,
        failures=ledger.failures(),
        contact_sheet=sheet,
        stopped=threads.stopped,
        interrupted=interrupted,
    )


def _finish(
    plan: Plan, ledger: Ledger, threads: _Run, servers: list[dict[str, Any]], state: Audit
) -> Path | None:
    """metadata.jsonl and the contact sheets; a full disk here must not hide how the run went."""
    folder = plan.recipe.output
    try:
        write_metadata(folder, ledger, plan, state.not_there)
        rejected = ledger.rejections()
        deleted = {name: rejected[key].reason for key, name in state.absent.items()}
        write_manifest(folder, plan, merge_servers(folder, servers, ledger.servers()), deleted)
        return write_contact_sheets(folder)
    except (OSError, ManyshotError) as error:
        threads.stopped = threads.stopped or f"metadata.jsonl could not be written: {error}."
        return None
