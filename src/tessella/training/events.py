"""What a run says while it runs: a JSON line per event, TensorBoard where it is installed, and progress for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from tessella.files.write import explain, write_text

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

METRICS: Final = "metrics.jsonl"
BOARD: Final = "tensorboard"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, after a step.

    Args:
        step: Steps done.
        steps: Steps of the whole run; under a time limit an estimate.
        share: 0..1 of the run, by steps or by the clock.
        seconds: Seconds spent.
        seconds_left: Estimate of what is left before the run is over.
        photos_per_second: Crops trained on per second, over the last seconds.
        loss: Moving average of the loss.
        learning_rate: Of this step.
        score: mIoU of the last validation, or None before the first.
    """

    step: int
    steps: int
    share: float
    seconds: float
    seconds_left: float
    photos_per_second: float
    loss: float
    learning_rate: float
    score: float | None


class EventLog:
    """Writes `RUN/metrics.jsonl`, and TensorBoard events when tensorboard is installed.

    Every line is one JSON object with at least `event`, `step` and `seconds`. The events: `start`, `step`,
    `validation`, `warning`, `checkpoint`, `end`.

    Args:
        run_folder: The folder of the run; it exists.
        resumed_step: Steps done before; what an interrupted run logged after them is removed, since it happens again.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, run_folder: Path, *, resumed_step: int | None) -> None:
        self._path = run_folder / METRICS
        self._board: Any = None
        self.history: list[dict[str, Any]] = []
        if resumed_step is not None:
            self.history = [event for event in read_events(self._path) if event["step"] <= resumed_step]
        write_text(self._path, "".join(_line(event) for event in self.history))
        self._stream = self._path.open("a", encoding="utf-8")
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            purge = None if resumed_step is None else resumed_step + 1
            self._board = SummaryWriter(run_folder / BOARD, purge_step=purge)

    def write(self, event: str, *, step: int, seconds: float, **values: Any) -> None:  # noqa: ANN401 - any JSON
        """Add one event; numbers also go to TensorBoard under `event/name`.

        Raises:
            OutputError: The disk is full, ...
        """
        entry = {"event": event, "step": step, "seconds": round(seconds, 3), **values}
        self.history.append(entry)
        try:
            self._stream.write(_line(entry))
            self._stream.flush()
        except OSError as error:
            raise explain(error, self._path) from error
        if self._board is not None and event in {"step", "validation"}:
            for name, value in values.items():
                if isinstance(value, int | float):
                    self._board.add_scalar(f"{event}/{name}", value, step)

    def picture(self, name: str, pixels: NDArray[np.uint8], *, step: int) -> None:
        """Show a picture in TensorBoard; nothing happens where it is not installed.

        Args:
            name: The photo's name.
            pixels: (H, W, 3) uint8.
            step: Steps done.
        """
        if self._board is not None:
            self._board.add_image(f"photo | truth | prediction/{name}", pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close the files."""
        self._stream.close()
        if self._board is not None:
            self._board.close()


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read the events of a run; a last line that was cut off by a kill is left out.

    Args:
        path: `RUN/metrics.jsonl`; a missing file has no events.
    """
    if not path.exists():
        return []
    events = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return events


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
