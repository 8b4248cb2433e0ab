"""What a reader is put through with damaged data: every door that a user would open, and nothing but our errors."""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from data.layouts import WRITERS
from data.mutations import Random, mutate_folder
from tessella.core.errors import TessellaError
from tessella.dataset.index import open_dataset, open_source
from tessella.formats import FORMATS, choose

PHOTOS = 2


MOST_READ = 5000
"""Photos of one data set that are read: a video may truly say that it has 65,536 frames, all read in one way."""


class Patient:
    """A small data set of one format that is damaged again and again.

    Args:
        name: The format.
        folder: An empty folder, in which the data set comes to lie.
        seed: What all chance derives from.
    """

    def __init__(self, name: str, folder: Path, *, seed: int) -> None:
        self.name, self.seed = name, seed
        self.root = folder / "set"
        WRITERS[name](self.root)
        self._keep_few_photos()
        self.files = {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }
        self.changed: list[str] = []

    def _keep_few_photos(self) -> None:
        """Write the data set anew with fewer photos where its generator can: half the work, and as much to damage."""
        fewer = self.root.with_name("fewer")
        try:
            WRITERS[self.name](fewer, count=PHOTOS)
            assert len(open_dataset(fewer, format=self.name)) >= 1
        except (TypeError, ValueError, LookupError, AssertionError, TessellaError):
            return
        self.root.rename(self.root.with_name("full"))
        fewer.rename(self.root)

    def damage(self, number: int) -> dict[str, bytes | None]:
        """Damage the whole data set in the way of this number, and say what was changed."""
        self.heal()
        changes = mutate_folder(self.files, Random(f"{self.seed}:{self.name}:{number}"))
        for name, data in changes.items():
            path = self.root / name
            path.unlink() if data is None else path.write_bytes(data)
        self.changed = list(changes)
        return changes

    def heal(self) -> None:
        """Undo the last damage."""
        for name in self.changed:
            (self.root / name).write_bytes(self.files[name])
        self.changed = []

    def read(self, number: int) -> bool:
        """Read the data set through every door.

        Returns:
            Whether any photo still gave labels; False where the data set or all of its labels were refused.
        """
        photos = number % 4 == 0
        try:
            if number % 3 == 0:
                with contextlib.suppress(TessellaError):
                    choose(open_source(self.root))
            FORMATS[self.name].detect(open_source(self.root))
            index = open_dataset(self.root, format=self.name)
        except TessellaError:
            return False
        good = 0
        for position in range(0, len(index), -(-len(index) // MOST_READ) or 1):
            record = index.records[position]
            try:
                good += index.labels(position) is not None
                if photos or record.image is None:
                    index.image(position)
            except TessellaError:
                continue
        return good > 0


class Watch:
    """Notes every file that is opened outside of some folders, and every connection; one per process."""

    def __init__(self, *allowed: Path) -> None:
        places = [
            *allowed,
            Path(sys.prefix),
            Path(sys.base_prefix),
            Path(tempfile.gettempdir(), "unused"),
            Path("/dev/null"),
        ]
        places += [Path(entry) for entry in sys.path if entry]
        self.allowed = tuple(str(place.resolve()) for place in places)
        self.active = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple) -> None:
        if not self.active or event not in ("open", "os.listdir", "os.scandir", "socket.connect", "subprocess.Popen"):
            return
        if event in ("socket.connect", "subprocess.Popen"):
            self.seen.append(f"{event} {arguments[1:]!r}"[:200])
            return
        path = arguments[0]
        if isinstance(path, bytes):
            path = path.decode("utf-8", "replace")
        if not isinstance(path, str) or not path:
            return
        real = str(Path(path).absolute())
        if not real.startswith(self.allowed):
            self.seen.append(f"{event} {real}"[:200])

    @contextlib.contextmanager
    def on(self) -> Iterator[list[str]]:
        """Watch for the time of the block; the list fills meanwhile."""
        self.seen = []
        self.active = True
        try:
            yield self.seen
        finally:
            self.active = False
