"""The `tessella` command: the table of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tessella._version import __version__
from tessella.cli.commands import check, convert, demo, evaluate, export, inspect, lock, plan, predict, score, train
from tessella.core.errors import TessellaError

if TYPE_CHECKING:
    from collections.abc import Callable

COMMANDS: Final[dict[str, tuple[Callable[..., None], str]]] = {
    "demo": (demo.demo, "See the whole way on a data set that is drawn on the spot."),
    "check": (check.check, "Find, and with --fix repair, what is wrong with labels."),
    "convert": (convert.convert, "Write labels in another format."),
    "lock": (lock.lock, "Hash every file, so that check and train notice any change."),
    "plan": (plan.plan, "Print what train would do, how long it takes, and why."),
    "train": (train.train, "Train, score and seal a model."),
    "evaluate": (evaluate.evaluate, "Score a model on annotated photos."),
    "score": (score.score, "Score masks made by anyone."),
    "predict": (predict.predict, "Predict photos of any size."),
    "export": (export.export, "Export a model to ONNX and prove it."),
    "inspect": (inspect.inspect, "Say what a file, a folder or a bundle is."),
}
"""Every command: its function and the line that `tessella --help` shows."""

EXIT_USER: Final = 2
EXIT_BUG: Final = 3
EXIT_INTERRUPTED: Final = 130

_HELP: Final = """Semantic segmentation that cannot fail silently.

From annotation files, whatever tool wrote them, to a model that can be trusted in production.
Start with: tessella demo
"""


def application() -> typer.Typer:
    """Build the application from the table of commands."""
    # plain help: Typer's rich help imports a Markdown parser and Pygments, which takes 0.2 s of the 0.35 there are
    app = typer.Typer(
        help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    app.callback()(_version)
    for name, (command, line) in COMMANDS.items():
        app.command(name, short_help=line)(command)
    return app


def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    if version:
        sys.stdout.write(f"tessella {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line and exit with its code.

    0 done; 1 ran, and found errors or missed a threshold; 2 the user has something to fix; 3 a bug in Tessella;
    130 interrupted; 143 terminated.
    """
    # A busy neighbour slows torch's spinning threads 13x on two shared cores; waiting costs a quiet machine nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        application()()
    except TessellaError as error:
        from tessella.files.archives import as_given

        _say(as_given(str(error)))
        sys.exit(error.exit_code)
    except MemoryError:
        _say("there is not enough memory; close other programs, or use smaller crops, batches or tiles")
        sys.exit(EXIT_USER)
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(EXIT_INTERRUPTED)
    except Exception:  # noqa: BLE001 - the last line of defence turns every bug into one honest message
        _report_bug()
        sys.exit(EXIT_BUG)


def _say(message: str) -> None:
    sys.stderr.write(f"tessella: {message}\n")


def _report_bug() -> None:
    import platform
    import traceback

    traceback.print_exc()
    _say(
        f"this is a bug in Tessella {__version__} (Python {platform.python_version()}, {platform.system()} "
        f"{platform.machine()}); please report it with the text above at https://github.com/tessella/tessella/issues"
    )
