"""Writes what the servers deliver into the dataset folder, then tells the ledger."""

import json
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..core.errors import ManyshotError
from ..core.files import write_atomic
from ..core.paths import inside
from .audit import NAMES, Facts, Kind, read_file_facts
from .job import Delivery, Job
from .ledger import Done, Ledger

log = logging.getLogger(__name__)
BATCH = 64  # files share the wait for the disk, jobs share a transaction
THREADS = 4
FEW = 8  # for fewer jobs the threads are not worth waking
QUEUED = 128 * 2**20  # bytes of pictures that wait for a slow disk
Item = tuple[Job, Delivery, str, float]


class Room:
    """Bytes of memory for what waits; whoever finds it full waits too. One item always fits."""

    def __init__(self, size: int) -> None:
        self._size, self._used = size, 0
        self._changed = threading.Condition()

    def enter(self, size: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + size <= self._size)
            self._used += size

    def leave(self, size: int) -> None:
        with self._changed:
            self._used -= size
            self._changed.notify_all()


class Writer:
    """One thread between the servers and the disk.

    A job is marked as done only when all its files have reached the disk under their names; a
    crash in between makes the job run again and give the same files. Rejected images are not
    written. When the disk fails, `failed`
    is called once and nothing more is written.
    """

    def __init__(self, folder: Path, ledger: Ledger, failed: Callable[[ManyshotError], None]):
        self._folder, self._ledger, self._failed = folder, ledger, failed
        self._items: queue.Queue[Item | None] = queue.Queue(maxsize=4 * BATCH)
        self._room = Room(QUEUED)
        self._rejected = ledger.rejections()
        self._broken = False
        self._folders: dict[str, Path] = {}
        self._pool = ThreadPoolExecutor(THREADS, "write")
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def put(self, job: Job, delivery: Delivery, server: str, seconds: float) -> None:
        """Queue a delivery; waits when the disk is slower than the servers."""
        self._room.enter(delivery.size)
        self._items.put((job, delivery, server, seconds))

    def close(self) -> None:
        """Write what is queued and end."""
        self._items.put(None)
        self._thread.join()
        self._pool.shutdown()

    def _run(self) -> None:
        going_on = True
        while going_on:
            batch, going_on = self._next_batch()
            if batch and not self._broken:
                self._write(batch)
            self._room.leave(sum(delivery.size for _, delivery, _, _ in batch))

    def _next_batch(self) -> tuple[list[Item], bool]:
        batch: list[Item] = []
        item = self._items.get()
        while item is not None:
            batch.append(item)
            if len(batch) == BATCH:
                return batch, True
            try:
                item = self._items.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _write(self, batch: list[Item]) -> None:
        try:
            apply = map if len(batch) < FEW else self._pool.map
            done = list(apply(self._write_one, batch))
            self._ledger.mark_done(done)
        except Exception as error:  # nobody else would notice, and the lanes would wait for ever
            if not isinstance(error, OSError | sqlite3.Error | ManyshotError):
                log.exception("writing to %s", self._folder)
            self._broken = True
            cause = getattr(error, "strerror", None) or str(error) or repr(error)
            self._failed(
                ManyshotError(
                    f"Writing to {self._folder} failed: {cause}. What was written is safe; "
                    "free up space (or choose another output) and run the same command "
                    "again."
                )
            )

    def _write_one(self, item: Item) -> Done:
        job, delivery, server, seconds = item
        images, masks = delivery.images[: job.keep], delivery.masks[: job.keep]
        mask_facts = [self._file(job, "masks", n, data) for n, data in enumerate(masks)]
        # last: without a ledger, an image that is there is taken for whole, its mask included
        image_facts = [self._file(job, "images", n, data) for n, data in enumerate(images)]
        objects = json.dumps(delivery.objects[: job.keep]) if delivery.objects else None
        facts = json.dumps({"images": image_facts, "masks": mask_facts})
        return Done(job.id, len(images), len(masks), server, seconds, objects, facts)

    def _file(self, job: Job, kind: Kind, number: int, data: bytes) -> Facts | None:
        """Write one file and say what it is; nothing of an image that is rejected."""
        if (job.id, number) in self._rejected:
            return None
        path = self._place(NAMES[kind](job.class_name, job.id, number))
        write_atomic(path, data)
        return read_file_facts(path, data)

    def _place(self, name: str) -> Path:
        """Where a file goes; each class folder is checked once to lie inside the dataset folder."""
        folder, _, file = name.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = inside(self._folder, *folder.split("/"))
        return self._folders[folder] / file
