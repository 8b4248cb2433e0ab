"""Text that Windows programs saved, in UTF-8 with a mark or in UTF-16, means the same in every format that has any."""

from pathlib import Path

import numpy as np
import pytest

from data.layouts import WRITERS
from tessella.dataset.index import open_dataset
from tessella.formats import FORMATS

TEXT = frozenset({".csv", ".geojson", ".json", ".ndjson", ".toml", ".txt", ".xml", ".yaml"})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_data_set_whose_text_a_windows_program_saved_is_the_same(name: str, encoding: str, tmp_path: Path) -> None:
    root = WRITERS[name](tmp_path / "set")
    texts = [path for path in root.rglob("*") if path.suffix in TEXT]
    before = open_dataset(root)
    labels = [before.labels(position) for position in range(len(before))]
    for path in texts:
        # an XML file goes on saying that it is UTF-8: Notepad does not read what it saves
        mark = "" if encoding == "utf-8-sig" else "\ufeff"
        path.write_bytes((mark + path.read_text(encoding="utf-8").replace("\n", "\r\n")).encode(encoding))
    after = open_dataset(root)
    assert after.format == before.format == name
    assert after.table == before.table
    assert after.splits == before.splits
    for position, expected in enumerate(labels):
        found = after.labels(position)
        assert found is not None
        assert expected is not None
        np.testing.assert_array_equal(found.ids, expected.ids)
