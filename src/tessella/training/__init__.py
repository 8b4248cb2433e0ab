"""Training: one readable loop and what it stands on. Importing this room loads no torch; `run.run` does the work."""

from __future__ import annotations

import os


def prepare_process() -> None:
    """Set what torch reads from the environment when it is loaded; call it before the first `import torch`.

    - `OMP_WAIT_POLICY=PASSIVE`: with the default policy a busy neighbour on the same cores slows eager torch 13 times,
      because waiting threads spin.
    - `THP_MEM_ALLOC_ENABLE=1`: tensors above 2 MiB lie in huge pages, which saves most page faults of a step
      (measured together with `process.keep_freed_memory`: 9 % less CPU time per step of a 5 M network).

    A value that the user has set is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
