"""A training run to be killed: everything that has state switched on, a checkpoint after every step."""

import hashlib
import sys
from pathlib import Path

from tessella.core.errors import TessellaError


def train_and_write_hash(data: Path, run_folder: Path, steps: int, resume: bool) -> None:
    """Train in this process; write the hash of the weights, or the error, beside the run's folder."""
    from data.training_plans import small_plan
    from tessella.dataset import open_dataset
    from tessella.training.run import run

    index = open_dataset(data, classes=data / "classes.toml")
    plan = small_plan(
        index.table,
        steps=steps,
        training__threads=1,
        training__workers=2,
        training__accumulate=2,
        training__precision="bf16",
        training__evaluate_every=15,
        training__checkpoint_minutes=1e-6,
        augment__noise=0.05,
        optimiser__ema_decay=0.9,
        optimiser__warmup_steps=10,
    )
    try:
        trained = run(index.split("train"), index.split("val"), plan=plan, out=run_folder, resume=resume)
    except TessellaError as error:
        run_folder.with_suffix(".error").write_text(str(error))
        sys.exit(error.exit_code)
    run_folder.with_suffix(".hash").write_text(hash_of(trained.state))


def hash_of(state) -> str:
    """Hash names and bytes of a state dict."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
