"""TensorBoard's event file, written by the thread that calls: what the disk refuses is raised there and nowhere else.

`torch.utils.tensorboard.SummaryWriter` writes in a thread of its own, which dies of a full disk with a traceback.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Board:
    """Writes scalars and pictures; every event is in the file when the call returns.

    Args:
        folder: Made where it is missing; every start of a run adds a file.
        purge_step: What earlier files say from this step on is not shown; None: there are none.

    Raises:
        OSError: From any method, when the file cannot be written.
    """

    def __init__(self, folder: Path, *, purge_step: int | None) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.record_writer import RecordWriter

        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files in the order of their names
        self._stream = (folder / f"events.out.tfevents.{time.time_ns()}.{os.getpid()}").open("wb")
        self._records = RecordWriter(self._stream)
        try:
            self._add(Event(file_version="brain.Event:2", step=purge_step or 0))
            if purge_step is not None:
                self._add(Event(step=purge_step, session_log=SessionLog(status=SessionLog.START)))
        except OSError:
            with contextlib.suppress(OSError):  # closing tries to write once more
                self.close()
            raise

    def scalar(self, name: str, value: float, *, step: int) -> None:
        """Add a number to a curve."""
        from tensorboard.compat.proto.event_pb2 import Event
        from torch.utils.tensorboard.summary import scalar

        self._add(Event(step=step, summary=scalar(name, value)))  # type: ignore[no-untyped-call]

    def picture(self, name: str, pixels: NDArray[np.uint8], *, step: int) -> None:
        """Add a picture: (H, W, 3) uint8."""
        from tensorboard.compat.proto.event_pb2 import Event
        from torch.utils.tensorboard.summary import image

        self._add(Event(step=step, summary=image(name, pixels, dataformats="HWC")))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _add(self, event: object) -> None:
        event.wall_time = time.time()  # type: ignore[attr-defined]  # a protocol buffer, which has no types
        self._records.write(event.SerializeToString())  # type: ignore[attr-defined]
        self._records.flush()
