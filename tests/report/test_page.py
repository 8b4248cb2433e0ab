"""The page: every number is in the JSON, everything is escaped, nothing is requested, and it stays small."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pillow

from tessella.checking import check
from tessella.core.classes import IGNORE, ClassInfo, ClassTable, LabelCoding
from tessella.core.errors import OutputError
from tessella.dataset import open_dataset
from tessella.evaluation import Report, Unscored
from tessella.evaluation.examples import choose, shrink
from tessella.evaluation.tally import Tally
from tessella.recipe.plan import Plan
from tessella.recipe.starter import starter_plan
from tessella.report import write_report

EVIL = '</style><script>alert("1")</script><img src=http://x.example/y onerror=alert(2)>'


class Reader(HTMLParser):
    """Collects data elements, tags, attributes and the text that people see."""

    def __init__(self):
        super().__init__()
        self.data, self.tags, self.attributes, self.text = [], [], [], []
        self._inside, self._quiet = None, 0

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.attributes += [(tag, *item) for item in attrs.items()]
        if tag == "data":
            self.data.append([attrs["data-json"], attrs["value"], ""])
            self._inside = self.data[-1]
        self._quiet += tag in {"style", "title"} or attrs.get("class", "").startswith("tick")

    def handle_endtag(self, tag):
        if tag == "data":
            self._inside = None
        if tag in {"style", "title"} or (tag == "text" and self._quiet):
            self._quiet -= 1

    def handle_data(self, text):
        if self._inside is not None:
            self._inside[2] += text
        elif not self._quiet:
            self.text.append(text)


def report_of(*, names=("sky", "roof", "never seen"), photos=8, hw=(40, 60), examples=2, abstain=True):
    rng = np.random.default_rng(1)
    colours = [(int(i * 37 % 256), int(i * 91 % 256), int(i * 53 % 256)) for i in range(len(names))]
    table = ClassTable(tuple(ClassInfo(name, colour) for name, colour in zip(names, colours, strict=True)))
    used = max(1, len(names) - 1)
    tally, pictures = Tally(table), []
    for number in range(photos):
        truth = np.repeat(np.repeat(rng.integers(0, used, (hw[0] // 4, hw[1] // 4)), 4, 0), 4, 1).astype(np.uint8)
        guess = np.where(rng.random(truth.shape) < 0.1 * number / photos, rng.integers(0, used), truth).astype(np.uint8)
        guess[0, :3] = IGNORE if abstain else 0
        truth[-1] = IGNORE
        tally.add(f"photo{number}", truth=truth, guess=guess)
        pictures.append((rng.integers(0, 256, (*truth.shape, 3), dtype=np.uint8), truth, guess))
    chosen = [
        shrink(tally.rows[row].name, rank, photo=pictures[row][0], truth=pictures[row][1], guess=pictures[row][2])
        for row, rank in choose(tally.rows, each=examples)
    ]
    return Report(
        scores=tally.scores,
        rows=tally.rows,
        notes=tally.notes,
        provenance={"tessella": "0.1.0", "data": "somewhere/camvid", "split": "val", "seconds": 1.5},
        examples=tuple(chosen),
    )


HISTORY = [{"step": 0, "seconds": 0.0, "loss": float("nan"), "learning_rate": 0.0}] + [
    {"step": step, "seconds": step / 2, "loss": 2 / step, "learning_rate": 1e-3, "miou": 0.5 - 1 / step}
    for step in range(10, 60, 10)
]
PLAN = {
    "training": {"batch": 8, "minutes": 15.0},
    "model": {"name": "mosaic"},
    "why": {"training.batch": "Eight fit.", "model.name": "Best of 3."},
}
FINDINGS = [
    {"code": "L101", "severity": "error", "where": f"m{i}.png", "what": "value 12", "fix": "map it", "fixable": True}
    for i in range(5)
] + [{"code": "A001", "severity": "info", "where": EVIL, "what": EVIL, "fix": EVIL, "fixable": False}]
CHECKED = SimpleNamespace(to_json=lambda: {"samples": 8, "findings": FINDINGS, "counts": {"error": 5, "info": 1}})
ENVIRONMENT = {"processor": "some cpu", "cores": 2, "seed": 0}


def written(tmp_path, report=None, **more):
    more = {"checked": CHECKED, "history": HISTORY, "plan": PLAN, "environment": ENVIRONMENT} | more
    page, numbers = write_report(report or report_of(), tmp_path / "run", **more)
    html = page.read_text(encoding="utf-8")
    reader = Reader()
    reader.feed(html)
    return html, json.loads(numbers.read_text(encoding="utf-8")), reader


def at(document, path):
    for step in path.split("."):
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def strings_of(tree):
    if isinstance(tree, dict):
        return [text for pair in tree.items() for part in pair for text in strings_of(part)]
    if isinstance(tree, list):
        return [text for part in tree for text in strings_of(part)]
    return [tree if isinstance(tree, str) else json.dumps(tree)]


def test_every_number_on_the_page_is_in_the_json(tmp_path):
    _, document, reader = written(tmp_path)
    assert len(reader.data) > 80
    for path, value, shown in reader.data:
        stored = at(document, path)
        assert (stored is None and value == "" and shown == "–") or repr(stored) == value, path


def test_numbers_are_shown_as_they_are_stored(tmp_path):
    _, document, reader = written(tmp_path)
    shown = {path: text for path, _, text in reader.data}
    assert shown["miou"] == f"{document['miou']:.3f}"
    assert shown["classes.0.pixels"].replace("\u202f", "") == str(document["classes"][0]["pixels"])
    assert shown["classes.2.iou"] == "–"
    assert shown["history_summary.best_miou"] == "0.480"


def test_text_outside_data_elements_holds_no_number_that_the_json_lacks(tmp_path):
    _, document, reader = written(tmp_path)
    known = " ".join(strings_of(document))
    numbers = set(re.findall(r"\d+(?:\.\d+)?", " ".join(reader.text)))
    assert {number for number in numbers if number not in known} == set()


def test_names_and_messages_of_strangers_are_text(tmp_path):
    report = report_of(names=(EVIL, 'a"b', "c&d"))
    report = Report(
        report.scores, report.rows, unscored=(Unscored(EVIL, EVIL),), notes=(EVIL,), examples=report.examples
    )
    html, _, reader = written(tmp_path, report, plan={"why": {EVIL: EVIL}}, environment={EVIL: EVIL})
    assert "script" not in reader.tags
    assert not [item for item in reader.attributes if item[1].startswith("on")]
    assert html.count("<style>") == html.count("</style>") == 1
    assert EVIL in "".join(reader.text)


def test_the_page_requests_nothing_and_runs_nothing(tmp_path):
    html, _, reader = written(tmp_path)
    addresses = [value for _, name, value in reader.attributes if name in {"src", "href", "srcset", "action", "poster"}]
    assert addresses
    assert all(value.startswith(("data:image/png;base64,", "data:image/jpeg;base64,", "#")) for value in addresses)
    assert not re.search(r"url\(|@import|//", re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1])
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(reader.tags)
    assert not [item for item in reader.attributes if item[1] == "style"]


def test_the_policy_allows_the_style_sheet_by_its_hash_and_nothing_else(tmp_path):
    html, _, reader = written(tmp_path)
    policy = next(
        value for tag, name, value in reader.attributes if tag == "meta" and name == "content" and "src" in value
    )
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_links_lead_to_sections_that_exist(tmp_path):
    _, _, reader = written(tmp_path)
    targets = {value for _, name, value in reader.attributes if name == "id"}
    links = {value[1:] for _, name, value in reader.attributes if name == "href"}
    assert links == targets == {
        "scores", "classes", "confusion", "photos", "training", "check", "plan", "origin",
    }  # fmt: skip


def test_sections_without_content_are_left_out(tmp_path):
    report = report_of(photos=1, examples=0)
    _, _, reader = written(tmp_path, report, checked=None, history=None, plan=None)
    assert {value for _, name, value in reader.attributes if name == "id"} == {
        "scores", "classes", "confusion", "photos", "origin",
    }  # fmt: skip


def test_pictures_of_noise_are_made_smaller_until_the_page_is_small(tmp_path):
    names = [f"class {number}" for number in range(60)]
    rng = np.random.default_rng(0)
    report = report_of(names=names, photos=1)
    noise = [rng.integers(0, 60, (900, 1200), dtype=np.uint8) for _ in range(2)]
    photo = rng.integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    examples = tuple(shrink("photo0", "best", photo=photo, truth=noise[0], guess=noise[1]) for _ in range(5))
    report = Report(report.scores, report.rows, provenance=report.provenance, examples=examples)
    page, _ = write_report(report, tmp_path)
    assert 1_000_000 < page.stat().st_size < 5_000_000


def test_a_set_of_150_classes_stays_readable_and_small(tmp_path):
    html, document, reader = written(tmp_path, report_of(names=[f"class {number}" for number in range(150)]))
    assert len(html) < 5_000_000
    assert len(document["confusion"]) == 150
    assert "Only the classes with the most wrong pixels are shown" in " ".join(reader.text)


def test_nothing_scored_still_makes_a_page(tmp_path):
    table = ClassTable.from_names(["a", "b"])
    tally = Tally(table)
    nothing = np.full((4, 4), IGNORE, np.uint8)
    tally.add("x", truth=nothing, guess=np.zeros((4, 4), np.uint8))
    html, document, _ = written(tmp_path, Report(tally.scores, tally.rows))
    assert document["miou"] is None
    assert "Nothing was scored" in html


def test_the_report_can_be_read_back_from_the_json(tmp_path):
    report = report_of()
    _, document, _ = written(tmp_path, report)
    again = Report.from_json(document)
    np.testing.assert_array_equal(again.confusion, report.confusion)
    assert again.rows == report.rows
    assert len(again.findings) == 6


def test_not_a_number_becomes_null_in_the_json(tmp_path):
    _, document, _ = written(tmp_path)
    assert document["history"][0]["loss"] is None


def test_the_matrix_of_an_abstaining_prediction_has_a_column_for_it(tmp_path):
    _, _, reader = written(tmp_path)
    assert "no class named" in reader.text
    assert any(path.endswith("abstained_pixels") for path, _, _ in reader.data)


def test_an_existing_report_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "report.json").write_text("{}")
    with pytest.raises(OutputError, match="exists already"):
        write_report(report_of(photos=1), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    write_report(report_of(photos=1), tmp_path, overwrite=True)
    assert (tmp_path / "report.html").is_file()


def test_a_real_plan_is_shown_with_the_reason_of_every_choice(tmp_path):
    plan = starter_plan(ClassTable.from_names(["a", "b"]))
    plan = plan.model_copy(
        update={"why": {"training.batch": "because", "augment.crop_hw": "it fits", "model": "small"}}
    )
    _, document, reader = written(tmp_path, plan=plan)
    assert Plan.from_json(document["plan"], where="report.json") == plan
    shown = [text.strip() for text in reader.text]
    assert shown[shown.index("because") - 1] == str(plan.training.batch)
    assert shown[shown.index("it fits") - 1] == str(list(plan.augment.crop_hw))


def test_a_real_check_is_shown(tmp_path):
    for folder in ("images", "masks"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for number in range(3):
        Pillow.fromarray(np.full((8, 8, 3), number, np.uint8)).save(tmp_path / "data" / "images" / f"{number}.png")
        Pillow.fromarray(np.full((8, 8), 7 * number, np.uint8)).save(tmp_path / "data" / "masks" / f"{number}.png")
    coding = LabelCoding(ClassTable.from_names(["a", "b"]))
    checked = check(open_dataset(tmp_path / "data", classes=coding))
    _, document, reader = written(tmp_path, checked=checked)
    assert document["findings"] == checked.to_json()["findings"]
    assert {group["code"] for group in document["finding_groups"]} == {finding.code for finding in checked.findings}
    assert any("7" in text for text in reader.text)
