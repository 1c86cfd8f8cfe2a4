"""A run inside the WebUI: settings in, the driver's dataset folder out, one job after the other."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modules import shared
from PIL import Image

from ..core.counted import pluralize
from ..core.errors import ManyshotError
from ..core.webui_prompt.networks import loras, take_networks
from ..driver.audit import audit
from ..driver.job import Delivery, Failure, Job
from ..driver.ledger import Ledger
from ..driver.take_over import Wishes, take_over
from ..driver.writer import Writer
from . import host
from .control_unit import png, read_mask, unit
from .folder_files import SERVER, write_manifest, write_metadata
from .outcome import Expected, verify_images
from .prepare_run import prepare
from .script_plan import MASK, Plan
from .script_settings import INFOTEXT, Settings, to_infotext
from .status import SHOWN, Report, board

_SCRIPT_FAILED = (
    "ControlNet or another WebUI extension failed and was not applied: {}. See the WebUI's console."
)
_LORA_UNUSED = (
    "The WebUI drew without the LoRA {!r}: its file cannot be loaded, or is made for "
    "another model family."
)
HOPELESS = 3  # jobs that failed one after the other before any was delivered: the run stops


def make_dataset(p: Any, settings: Settings) -> Report:
    """Make the dataset folder of `settings`, going on from whatever is there.

    `p`: the page's processing; it is copied for every job. Raises InputError before anything is
    drawn when something does not fit.
    """
    whole, checkpoint = prepare(p, settings)
    folder = Path(settings.output).expanduser()
    ledger = Ledger(folder)
    try:
        wishes = Wishes(advice="Choose another dataset folder.")
        take_over(folder, whole, whole.prompts.class_names, ledger, wishes)
        return _Run(p, whole, checkpoint, ledger, folder).work()
    finally:
        ledger.close()


class _Run:
    """The jobs that are still open, one after the other."""

    def __init__(
        self, p: Any, whole: Plan, checkpoint: host.Checkpoint, ledger: Ledger, folder: Path
    ) -> None:
        self.p, self.plan, self.checkpoint = p, whole, checkpoint
        self.ledger, self.folder = ledger, folder
        done, planned = ledger.images()
        self.report = Report(planned - ledger.counts().rejected, done)
        self.failed_in_turn = 0
        self.settings_text = to_infotext(whole.settings)

    def work(self) -> Report:
        write_manifest(self.folder, self.plan, self.checkpoint)
        open_jobs = self.ledger.counts().pending
        shared.state.job_count = open_jobs
        host.apply_networks_anew()
        board.begin(self.folder, self.report.planned, self.report.done)
        writer = Writer(self.folder, self.ledger, self._disk_failed)
        try:
            for number, job in enumerate(self._open_jobs(), 1):
                if host.is_stopped() or self.report.stopped:
                    self.report.stopped = True
                    break
                shared.state.job = f"manyshot {number} out of {open_jobs}"
                shared.state.textinfo = f"{self.report.done} of {self.report.planned} images"
                self._make(job, writer)
        finally:
            writer.close()
            self._end()
        return self.report

    def _make(self, job: Job, writer: Writer) -> None:
        started = time.monotonic()
        result = self._draw(job)
        if shared.state.interrupted:  # what came may be half drawn
            self.report.stopped = True
        elif isinstance(result, Failure):
            self._record_failure(job, result)
        else:
            writer.put(job, result, SERVER, time.monotonic() - started)
            self.report.done += job.keep
            self.failed_in_turn = 0
            board.change(done=self.report.done)

    def _draw(self, job: Job) -> Delivery | Failure:
        """What the WebUI gives for a job; its own errors become failures."""
        logged = host.errors()
        try:
            p = self._processing(job)
            processed = host.draw(p)
        except ManyshotError as error:
            return Failure("invalid", str(error))
        except Exception as error:  # whatever extensions and torch raise: the next job may work
            kind = "memory" if "out of memory" in str(error).lower() else "node"
            reason = " ".join(str(error).split())
            return Failure(kind, f"The WebUI failed: {type(error).__name__}: {reason}")
        if shared.state.skipped:
            shared.state.skipped = False
            return Failure("incomplete", "Skipped; the next run draws it.")
        size = None if getattr(p, "enable_hr", False) else (p.width, p.height)
        expected = Expected(job.images, size, self.checkpoint.name, bool(job.pictures))
        images = verify_images(processed, expected)
        if isinstance(images, Failure):
            return images
        silent = host.script_error(logged)
        if silent:
            return Failure("invalid", _SCRIPT_FAILED.format(silent))
        lacking = host.find_unused_lora(_loras(p))
        if lacking:
            return Failure("invalid", _LORA_UNUSED.format(lacking))
        if not shared.state.interrupted:
            self._show(processed, images)
        return self._delivery(job, images)

    def _processing(self, job: Job) -> Any:
        p = host.copy_processing(self.p)
        p.prompt, p.negative_prompt = self.plan.prompt_for(job), job.negative
        p.seed, p.n_iter, p.batch_size = job.seed, 1, job.images
        p.subseed = job.seed if p.subseed == -1 else p.subseed  # -1 is another one every time
        p.do_not_save_grid = p.do_not_save_samples = True
        p.override_settings.update(return_mask=False, return_mask_composite=False)
        p.extra_generation_params[INFOTEXT] = self.settings_text
        for name in _loras(p):
            host.network_file(name)
        if MASK in job.pictures:
            mask = read_mask(Path(job.pictures[MASK]), (p.width, p.height))
            host.give_control(p, unit(mask, self.plan.settings, host.is_forge()))
        return p

    def _delivery(self, job: Job, images: tuple[Image.Image, ...]) -> Delivery:
        files = tuple(png(image, _texts(image)) for image in images)
        if MASK not in job.pictures:
            return Delivery(files)
        mask = png(read_mask(Path(job.pictures[MASK]), images[0].size))
        return Delivery(files, (mask,) * len(files))

    def _show(self, processed: Any, images: tuple[Image.Image, ...]) -> None:
        first = processed.index_of_first_image
        texts = processed.infotexts[first : first + len(images)]
        self.report.images = [*self.report.images, *images][-SHOWN:]
        self.report.infotexts = [*self.report.infotexts, *texts][-SHOWN:]

    def _record_failure(self, job: Job, failure: Failure) -> None:
        self.ledger.mark_failed(job.id, failure)
        self.failed_in_turn += 1
        host.apply_networks_anew()
        if failure.reason not in self.report.problems:
            self.report.problems.append(failure.reason)
        board.change(failed=board.now.failed + job.keep, message=failure.reason)
        if self.failed_in_turn >= HOPELESS and not self.report.images:
            self.report.stopped = True

    def _disk_failed(self, error: ManyshotError) -> None:
        self.report.problems.append(str(error))
        self.report.stopped = True

    def _open_jobs(self) -> Iterator[Job]:
        after = -1
        while batch := self.ledger.open_jobs("", after, 100):
            yield from (job for _, job in batch)
            after = batch[-1][0]

    def _end(self) -> None:
        files = audit(self.folder, self.ledger)
        write_metadata(self.folder, self.ledger, files.not_there)
        lost = sum(file.kind == "images" for file in [*files.gone, *files.damaged])
        if lost:
            self.report.problems.append(
                f"{pluralize(lost, 'image was', 'images were')} removed or changed in the meantime."
            )
        self.report.done = self.ledger.images()[0] - lost  # what the disk has
        state = "stopped" if self.report.stopped else "ended"
        board.change(state=state, done=self.report.done)


def _loras(p: Any) -> list[str]:
    return [lora.name for lora in loras(take_networks(p.prompt)[1])]


def _texts(image: Image.Image) -> dict[str, str]:
    return {k: v for k, v in image.info.items() if isinstance(k, str) and isinstance(v, str)}
