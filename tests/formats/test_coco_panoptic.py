"""What damaged files of COCO's panoptic form are answered with."""

from pathlib import Path

import pytest

from data.layouts import WRITERS
from tessella.core.errors import FormatError
from tessella.dataset.index import open_dataset


def test_a_mask_name_that_is_no_utf_8_is_refused_by_the_file_that_holds_it(tmp_path: Path) -> None:
    root = WRITERS["coco-panoptic"](tmp_path)
    (path,) = root.rglob("*.json")
    path.write_bytes(path.read_bytes().replace(b"p1.png", b"p\xe0.png"))
    with pytest.raises(FormatError, match=rf"{path.name}.*not UTF-8"):
        open_dataset(root, format="coco-panoptic")
