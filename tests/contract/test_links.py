"""The three statements of docs/safety.md about links, each at the door where a user meets it."""

import json
import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import coco, faulty
from tessella.checking import check
from tessella.core.errors import InputError
from tessella.dataset import open_dataset

pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")
SAFETY = Path(__file__).resolve().parents[2] / "docs" / "safety.md"


def _moved_out(path: Path, elsewhere: Path) -> Path:
    """Move a file out of its folder and leave a link in its place."""
    elsewhere.mkdir(exist_ok=True)
    target = elsewhere / f"far-{path.name}"
    path.rename(target)
    path.symlink_to(target)
    return target


def _renamed(root: Path, name: str) -> None:
    """Let the annotation of the first photo name another path."""
    path = root / "annotations" / "instances_default.json"
    tree = json.loads(path.read_text())
    tree["images"][0]["file_name"] = name
    path.write_text(json.dumps(tree))


@pytest.mark.parametrize("folder", ["images", "masks"])
def test_a_users_own_link_to_a_file_elsewhere_counts_as_that_file(tmp_path: Path, folder: str) -> None:
    root = faulty.mask_set(tmp_path / "set")
    before = open_dataset(root, classes=faulty.CODING)[0]
    _moved_out(root / folder / "0.png", tmp_path / "elsewhere")
    after = open_dataset(root, classes=faulty.CODING)[0]
    assert np.array_equal(after.image.pixels, before.image.pixels)
    assert before.labels is not None
    assert after.labels is not None
    assert np.array_equal(after.labels.ids, before.labels.ids)
    assert not check(open_dataset(root, classes=faulty.CODING)).by_code().get("F101")


def test_an_annotation_may_name_a_photo_that_is_a_users_own_link(tmp_path: Path) -> None:
    root = coco.coco(tmp_path / "set")
    _moved_out(root / "images" / "p0.png", tmp_path / "elsewhere")
    assert open_dataset(root).records[0].image == root / "images" / "p0.png"


def test_links_to_folders_are_passed_over(tmp_path: Path) -> None:
    root = faulty.mask_set(tmp_path / "set")
    faulty.mask_set(tmp_path / "elsewhere")
    (root / "more").symlink_to(tmp_path / "elsewhere")
    assert len(open_dataset(root, classes=faulty.CODING)) == 4


def test_an_archive_with_a_link_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = coco.coco(tmp_path / "set")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for path in sorted(root.rglob("*.*")):
            archive.write(path, path.relative_to(root).as_posix())
        link = zipfile.ZipInfo("images/p9.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "p0.png")  # even to a file of the archive itself
    with pytest.raises(InputError, match="the archive holds a link or a device") as refused:
        open_dataset(tmp_path / "set.zip")
    assert "images/p9.png" in str(refused.value)
    assert list((tmp_path / "cache").rglob("*.png")) == []


@pytest.mark.parametrize("name", ["../../elsewhere/far.png", "{tmp}/elsewhere/far.png", "../more/far.png"])
def test_a_path_in_an_annotation_never_leaves_the_folder(tmp_path: Path, name: str) -> None:
    root = coco.coco(tmp_path / "set")
    (tmp_path / "elsewhere").mkdir()
    Image.new("RGB", (16, 12)).save(tmp_path / "elsewhere" / "far.png")
    (root / "more").symlink_to(tmp_path / "elsewhere")  # a link to a folder is no way out either
    (root / "images" / "p0.png").unlink()
    _renamed(root, name.replace("{tmp}", str(tmp_path)))
    assert [record.image for record in open_dataset(root).records if record.image and record.image.stem == "far"] == []


def test_the_page_makes_these_statements() -> None:
    text = SAFETY.read_text()
    for said in (
        "| links in archives | always",
        "| paths in annotations | any way out of the data set's folder: `..`, a drive, an absolute path, or a link",
        "## Links",
    ):
        assert said in text, said
