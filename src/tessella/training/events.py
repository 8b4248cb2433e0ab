"""What a run says while it runs: a JSON line per event, TensorBoard where it is installed, and progress for people."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Self

from tessella.core.errors import OutputError
from tessella.files.write import explain, write_text
from tessella.training.board import Board

if TYPE_CHECKING:
    from collections.abc import Iterator
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
    `validation`, `warning`, `checkpoint`, `end`. As a context manager it closes its files in the end; an error of
    closing never hides the one that ended the run.

    Args:
        run_folder: The folder of the run; it exists.
        resumed_step: Steps done before; what an interrupted run logged after them is removed, since it happens again.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, run_folder: Path, *, resumed_step: int | None) -> None:
        self._path = run_folder / METRICS
        self._board_folder = run_folder / BOARD
        self._board: Board | None = None
        self.history: list[dict[str, Any]] = []
        if resumed_step is not None:
            self.history = [event for event in read_events(self._path) if event["step"] <= resumed_step]
        write_text(self._path, "".join(_line(event) for event in self.history))
        with _explained(self._path):
            self._stream = self._path.open("a", encoding="utf-8")
        if find_spec("tensorboard") is not None:
            purge = None if resumed_step is None else resumed_step + 1
            try:
                with _explained(self._board_folder):
                    self._board = Board(self._board_folder, purge_step=purge)
            except OutputError:
                self._stream.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with contextlib.nullcontext() if kind is None else contextlib.suppress(OutputError):
            self.close()

    def write(self, event: str, *, step: int, seconds: float, **values: Any) -> None:  # noqa: ANN401 - any JSON
        """Add one event; numbers also go to TensorBoard under `event/name`.

        Raises:
            OutputError: The disk is full, ...
        """
        entry = {"event": event, "step": step, "seconds": round(seconds, 3), **values}
        self.history.append(entry)
        with _explained(self._path):
            self._stream.write(_line(entry))
            self._stream.flush()
        if self._board is not None and event in {"step", "validation"}:
            with _explained(self._board_folder):
                for name, value in values.items():
                    if isinstance(value, int | float):
                        self._board.scalar(f"{event}/{name}", value, step=step)

    @property
    def shows_pictures(self) -> bool:
        """Whether pictures are shown anywhere, so that they need to be made."""
        return self._board is not None

    def picture(self, name: str, pixels: NDArray[np.uint8], *, step: int) -> None:
        """Show a picture in TensorBoard; nothing happens where it is not installed.

        Args:
            name: The photo's name.
            pixels: (H, W, 3) uint8.
            step: Steps done.

        Raises:
            OutputError: The disk is full, ...
        """
        if self._board is not None:
            with _explained(self._board_folder):
                self._board.picture(f"photo | truth | prediction/{name}", pixels, step=step)

    def close(self) -> None:
        """Close the files; every event was flushed when it was written.

        Raises:
            OutputError: An event that failed to be written cannot be written now either.
        """
        with contextlib.ExitStack() as stack:
            if self._board is not None:
                stack.enter_context(_explained(self._board_folder))
                stack.callback(self._board.close)
            stack.enter_context(_explained(self._path))
            stack.callback(self._stream.close)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the system refuses into one message with the cure."""
    try:
        yield
    except OSError as error:
        raise explain(error, path) from error


def read_events(path: Path) -> list[dict[str, Any]]:
    """Read the events of a run; a last line that was cut off by a kill is left out.

    Args:
        path: `RUN/metrics.jsonl`; a missing file has no events.
    """
    if not path.exists():
        return []
    events = []
    # a kill may have cut a line within a letter of several bytes
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return events


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False, allow_nan=False) + "\n"
