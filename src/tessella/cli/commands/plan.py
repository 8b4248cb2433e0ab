"""`tessella plan`: what `tessella train` would do with a data set, how long it takes, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tessella.cli import flags

if TYPE_CHECKING:
    from rich.table import Table

    from tessella.recipe.plan import Plan


def plan(
    data: flags.Data,
    minutes: flags.Minutes = None,
    epochs: flags.Epochs = None,
    preset: flags.Preset = None,
    recipe: flags.RecipeFile = None,
    set_: flags.Settings = None,
    seed: flags.Seed = None,
    format: flags.Format = None,  # noqa: A002 - the name of the flag
    classes: flags.Classes = None,
    photos: flags.Photos = None,
    option: flags.Options = None,
    max_pixels: flags.MaxPixels = None,
    json: flags.Json = False,
) -> None:
    """Print what training would do: network, crop, batch, steps, learning rate, loss, time and memory, and why.

    Data and machine are measured, and one training step is timed; nothing is trained and nothing is written.
    """
    import tessella
    from tessella.cli.console import emit_json, progress, results

    with progress("Measuring") as advance:
        settled = tessella.plan(
            data,
            minutes=minutes,
            epochs=epochs,
            preset=preset,
            recipe=recipe,
            overrides=set_ or (),
            seed=seed,
            format=format,
            classes=classes,
            photos=photos,
            options=flags.options_of(option),
            max_pixels=max_pixels,
            progress=advance,
        )
    if json:
        emit_json(settled.to_json())
    else:
        results().print(plan_table(settled))


def plan_table(settled: Plan) -> Table:
    """Lay a plan out for people: choice, value and reason."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, overflow in (("", "fold"), ("settled", "fold"), ("why", "fold")):
        table.add_column(heading, overflow=overflow)  # type: ignore[arg-type]  # rich's literal
    for name, value, key in _rows(settled):
        # as text, not as rich's markup: classes may be called "road [wet]"
        table.add_row(name, Text(value), Text(settled.why.get(key, "")))
    return table


def _rows(settled: Plan) -> list[tuple[str, str, str]]:
    augment, training, optimiser = settled.augment, settled.training, settled.optimiser
    options = ", ".join(f"{name} {value}" for name, value in settled.model.options.items())
    loss = " + ".join(f"{term.weight:g} {term.name}" for term in settled.loss.terms)
    weights = settled.loss.class_weights
    accumulate = f" x {training.accumulate}" if training.accumulate > 1 else ""
    expected = settled.expected
    return [
        ("photos", _counted(settled), "splits"),
        ("classes", _listed(settled.table.names), "classes"),
        ("network", f"{settled.model.name}{f' ({options})' if options else ''}", "model.name"),
        ("weights", settled.model.weights or "from scratch", "model.weights"),
        ("crop", "{1} x {0}".format(*augment.crop_hw), "augment.crop_hw"),
        ("augmentation", _augmentation(settled), "augment.scale"),
        ("batch", f"{training.batch}{accumulate}", "training.batch"),
        ("steps", f"{training.steps}", "training.steps"),
        ("learning rate", f"{optimiser.learning_rate:g}, {optimiser.schedule}", "optimiser.learning_rate"),
        ("optimiser", f"{optimiser.name}, weight decay {optimiser.weight_decay:g}", "optimiser.name"),
        ("average", f"decay {optimiser.ema_decay:g}" if optimiser.ema_decay else "none", "optimiser.ema_decay"),
        ("loss", loss, "loss.terms"),
        ("class weights", _listed([f"{weight:.3g}" for weight in weights]), "loss.class_weights"),
        ("precision", training.precision, "training.precision"),
        ("expected time", _duration(expected.seconds), "training.minutes"),
        ("expected memory", f"{expected.memory_bytes / 2**30:.1f} GiB", "expected"),
        ("passes", f"{expected.epochs:.1f} over the training photos", ""),
    ]


def _counted(settled: Plan) -> str:
    splits = settled.splits
    test = f", {splits.test_samples} test" if splits.test_samples else ""
    return f"{splits.train_samples} train, {splits.val_samples} val{test}"


def _augmentation(settled: Plan) -> str:
    augment = settled.augment
    words = ["scale {:g} to {:g}".format(*augment.scale)]
    flags = {
        "flip left-right": augment.flip_horizontal,
        "flip up-down": augment.flip_vertical,
        "right angles": augment.right_angles,
        "rotation": augment.rotate_degrees,
        "shear": augment.shear_degrees,
        "elastic": augment.elastic,
        "colour": max(augment.brightness, augment.contrast, augment.saturation, augment.hue, augment.gamma),
        "rare classes first": augment.rare_class,
    }
    return ", ".join([*words, *(name for name, value in flags.items() if value)])


def _listed(names: tuple[str, ...] | list[str], most: int = 12) -> str:
    more = f", ... ({len(names)})" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
