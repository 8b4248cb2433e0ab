"""The page of a check: a picture for every place, everything escaped, nothing requested, and it stays small."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data import faulty, planted, planted_labels, planted_sets
from data.faulty import house, labelme, labelme_set, mask_set, polygon, save
from tessella.checking import check
from tessella.core.classes import ClassTable, LabelCoding
from tessella.dataset import open_dataset
from tessella.report.check_page import views, write_check_page
from tessella.report.check_page.marks import Marks
from tessella.report.check_page.pictures import MARK, NEAREST_PX, SIDE_PX, label_view, window_of

EVIL = "<img src=http://x.example onerror=alert(1)>\"&'.png"


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, *item) for item in attrs]


def page_of(root: Path, coding: LabelCoding | None = faulty.CODING) -> str:
    index = open_dataset(root, classes=coding)
    write_check_page(root.parent / "check.html", index, check(index))
    return (root.parent / "check.html").read_text(encoding="utf-8")


def pictures(text: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/webp;base64,([^"]+)"', text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(one))).convert("RGB")) for one in found]


def magenta(picture: np.ndarray) -> int:
    return int((np.abs(picture.astype(int) - MARK).sum(axis=2) < 120).sum())


@pytest.fixture
def spoilt(tmp_path: Path) -> Path:
    root = mask_set(tmp_path / "data", count=20)
    for number in range(15):
        grid = faulty.ids()
        grid[20, 30:33] = 7
        save(root / f"masks/{number}.png", grid)
        save(root / f"images/{number}.png", np.full((*faulty.HW, 3), 10 * number + 5, np.uint8))
    return root


def test_a_finding_is_shown_as_the_photo_and_the_label_over_it_with_the_pixels_marked(spoilt: Path) -> None:
    shown = pictures(page_of(spoilt))
    assert len(shown) == 2 * 15
    for plain, marked in zip(shown[::2], shown[1::2], strict=True):
        assert plain.shape == marked.shape
        assert max(plain.shape) <= SIDE_PX
        assert magenta(plain) == 0
        assert magenta(marked) > 100


def test_findings_beyond_the_pictures_are_listed(spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert '<li class="is-error"' not in page_of(spoilt)
    monkeypatch.setattr(views, "BYTES", 20_000)
    text = page_of(spoilt)
    shown = len(pictures(text)) // 2
    assert 0 < shown < 15
    assert text.count('<li class="is-error"') == 15 - shown
    assert all(f"masks/{number}.png" in text for number in range(15))


def test_no_script_no_request_and_only_its_own_style(spoilt: Path) -> None:
    text = page_of(spoilt)
    reader = Reader()
    reader.feed(text)
    assert "script" not in reader.tags
    assert not [item for item in reader.attributes if item[1].startswith("on")]
    sources = [value or "" for _, name, value in reader.attributes if name in {"src", "href"}]
    assert all(value.startswith("data:image/webp;base64,") for value in sources)
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src &#x27;sha256-{digest}&#x27;" in text or f"style-src 'sha256-{digest}'" in text
    assert "default-src" in text


def test_names_from_strangers_are_text(tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    labelme_set(root)
    (root / "labels.txt").unlink()
    labelme(root / "1.json", house("<script>alert(1)</script>"), polygon(EVIL, (1, 1), (4, 7)))
    text = page_of(root, None)
    assert "<script" not in text
    assert "<img src=http" not in text
    assert "&lt;script&gt;" in text


def test_the_page_says_what_a_rule_means_and_can_be_filtered(spoilt: Path) -> None:
    text = page_of(spoilt)
    assert "they may be a slip of the tool" in text
    assert 'id="show-error"' in text
    assert "body:has(#show-error:not(:checked)) .is-error" in text
    assert "<svg" in text  # the histogram


def test_clean_data_gives_a_page_too(tmp_path: Path) -> None:
    text = page_of(mask_set(tmp_path / "data"))
    assert "Nothing was found" in text
    assert "<img" not in text


@pytest.mark.parametrize(
    "case",
    [*planted.CASES, *planted_labels.CASES, *planted_sets.CASES],
    ids=lambda case: f"{case.code}-{case.says or case.severity}",
)
def test_every_finding_of_every_rule_can_be_shown(case: planted.Case, tmp_path: Path) -> None:
    root = tmp_path / "data"
    root.mkdir()
    case.make(root)
    case.plant(root)
    index = open_dataset(root, classes=case.coding, format=case.format)
    write_check_page(tmp_path / "check.html", index, check(index))
    text = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert f'id="{case.code}"' in text
    assert len(text) < 2_000_000


def test_a_single_pixel_is_shown_with_its_surroundings() -> None:
    window = window_of((1000, 2000), Marks(np.array([[1500.5, 20.5]])))
    assert (window.bottom - window.top, window.right - window.left) == (NEAREST_PX, NEAREST_PX)
    assert window.top == 0
    assert window.left <= 1500 < window.right
    assert max(window.size) == SIDE_PX


def test_marks_beyond_the_photo_stay_in_the_picture() -> None:
    window = window_of((40, 60), Marks(np.array([[500.0, -300.0]])))
    assert 0 <= window.left < window.right <= 60
    assert 0 <= window.top < window.bottom <= 40


def test_a_class_is_shown_in_its_colour_and_a_mark_in_magenta() -> None:
    ids = np.zeros((100, 100), np.uint8)
    ids[:, 50:] = 1
    table = ClassTable.from_names(("ground", "roof"))
    marks = Marks(np.array([[25.0, 50.0]]))
    view = label_view(np.zeros((100, 100, 3), np.uint8), ids, table, window_of((100, 100), None), marks=marks, says="x")
    (picture,) = pictures(f'src="{view.uri}"')
    right = picture[picture.shape[0] // 4, picture.shape[1] * 3 // 4]
    assert right[0] > 40
    assert right[2] < 30
    assert magenta(picture) > 50
