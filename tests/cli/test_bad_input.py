"""Every command given what it cannot use: one clear message, exit code 2, nothing half-written."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from data.blobs import write_blobs
from data.small_disk import fill, needs_mount, small_disk
from tessella.cli.main import main

Outcome = tuple[int, str, str]
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr("sys.argv", ["tessella", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        return int(caught.value.code or 0), said.out, said.err

    return call


@pytest.fixture
def blobs(tmp_path: Path) -> Path:
    return write_blobs(tmp_path / "blobs")


def refused(outcome: Outcome, *words: str) -> None:
    code, out, err = outcome
    assert code == 2, (out, err)
    assert out == ""
    assert err.splitlines()[-1].startswith("tessella: ")
    assert "Traceback" not in err
    for word in words:
        assert word in err, err


DATA_COMMANDS = ("check", "convert", "plan", "train")


def on_data(command: str, data: Path, out: Path) -> list[object]:
    more = {"convert": [out, "--to", "voc"], "train": ["--out", out, "--minutes", 1], "plan": ["--minutes", 1]}
    return [command, data, *more.get(command, [])]


@pytest.mark.parametrize("command", DATA_COMMANDS)
def test_a_data_set_that_cannot_be_used_is_refused_by_every_command(run: Run, tmp_path: Path, command: str) -> None:
    out = tmp_path / "out"
    refused(run(*on_data(command, tmp_path / "missing", out)), "missing", "no such folder")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(run(*on_data(command, empty, out)), "empty")
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    Pillow.fromarray(np.zeros((8, 8, 3), np.uint8)).save(unlabelled / "a.jpg")
    refused(run(*on_data(command, unlabelled, out)), "no labels")
    assert not out.exists()


@pytest.mark.parametrize("command", DATA_COMMANDS)
def test_labels_of_two_formats_are_a_question_not_a_guess(run: Run, tmp_path: Path, command: str) -> None:
    both = tmp_path / "both"
    both.mkdir()
    labelme = {"version": "5.5.0", "flags": {}, "shapes": [], "imagePath": "a.jpg", "imageData": None}
    labelme |= {"imageHeight": 8, "imageWidth": 8}
    (both / "a.json").write_text(json.dumps(labelme))
    Pillow.fromarray(np.zeros((8, 8, 3), np.uint8)).save(both / "a.jpg")
    Pillow.fromarray(np.zeros((8, 8), np.uint8)).save(both / "a.png")
    outcome = run(*on_data(command, both, tmp_path / "out"))
    refused(outcome, "two formats", "--format labelme", "--format index-mask")


@pytest.mark.parametrize("command", ["plan", "train"])
def test_one_photo_is_not_enough_to_train(run: Run, tmp_path: Path, command: str) -> None:
    pytest.importorskip("torch")
    one = tmp_path / "one"
    for kind, pixels in (("images", np.zeros((8, 8, 3), np.uint8)), ("masks", np.eye(8, dtype=np.uint8))):
        (one / kind).mkdir(parents=True)
        Pillow.fromarray(pixels).save(one / kind / "a.png")
    refused(run(*on_data(command, one, tmp_path / "out")), "too few labelled photos", "1 labelled of 1 photos")
    assert not (tmp_path / "out").exists()


def test_a_class_table_with_a_duplicate_is_named_with_its_file(run: Run, blobs: Path, tmp_path: Path) -> None:
    table = tmp_path / "classes.toml"
    table.write_text('[[classes]]\nname = "a"\n[[classes]]\nname = "a"\n')
    refused(run("check", blobs, "--classes", table), "classes.toml", "share the name 'a'")
    refused(run("score", blobs, blobs, "--classes", table), "classes.toml", "share the name 'a'")
    refused(run("check", blobs, "--classes", tmp_path / "missing.toml"), "missing.toml", "no such file")


def test_an_existing_output_is_refused_unless_overwriting_was_asked_for(run: Run, blobs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("precious")
    for command in (
        ["convert", blobs, out, "--to", "voc"],
        ["check", blobs, "--fix", "--out", out],
        ["train", blobs, "--out", out, "--minutes", 1],
        ["demo", "--out", out],
    ):
        refused(run(*command), str(out), "exists already", "--overwrite")
    for command in (
        ["convert", blobs, out, "--to", "voc", "--overwrite"],
        ["check", blobs, "--fix", "--out", out, "--overwrite"],
        ["demo", "--out", out, "--overwrite"],
    ):
        refused(run(*command), str(out), "replaces only folders that Tessella made")
    assert sorted(entry.name for entry in out.rglob("*")) == ["mine.txt"]


@pytest.mark.parametrize(
    "limit", [("--minutes", 0), ("--minutes", -1), ("--epochs", 0), ("--minutes", 1, "--epochs", 1)]
)
@pytest.mark.parametrize("command", ["plan", "train"])
def test_no_time_or_two_limits_are_refused(
    run: Run, blobs: Path, tmp_path: Path, command: str, limit: tuple[object, ...]
) -> None:
    pytest.importorskip("torch")
    out = ["--out", tmp_path / "out"] if command == "train" else []
    refused(run(command, blobs, *out, *limit))
    assert not (tmp_path / "out").exists()


def test_unknown_names_get_the_nearest_one(run: Run, blobs: Path, tmp_path: Path) -> None:
    refused(run("check", blobs, "--format", "labelmee"), "labelme")
    refused(run("convert", blobs, tmp_path / "o", "--to", "vooc"), "voc")
    pytest.importorskip("torch")
    refused(run("plan", blobs, "--minutes", 1, "--preset", "satelite"), "satellite")
    refused(run("plan", blobs, "--minutes", 1, "--set", "optimiser.learning_rat=1"), "learning_rate")
    refused(run("plan", blobs, "--minutes", 1, "--set", "model.name=unett"), "unet")


def test_a_bundle_that_is_none_or_newer_or_damaged_is_refused(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from data.small_bundle import make_bundle

    photo = tmp_path / "a.png"
    Pillow.fromarray(np.zeros((8, 8, 3), np.uint8)).save(photo)
    out = tmp_path / "out"
    refused(run("predict", tmp_path, photo, "--out", out), "bundle")
    make_bundle(tmp_path / "bundle")
    newer = tmp_path / "newer"
    shutil.copytree(tmp_path / "bundle", newer)
    manifest = json.loads((newer / "manifest.json").read_text())
    version = next(key for key in manifest if "version" in key or key == "format")
    (newer / "manifest.json").write_text(json.dumps(manifest | {version: 99}))
    for command in (
        ["predict", newer, photo, "--out", out],
        ["inspect", newer],
        ["export", newer, "--out", tmp_path / "a.onnx"],
        ["evaluate", newer, tmp_path],
    ):
        refused(run(*command), "newer")
    damaged = tmp_path / "damaged"
    shutil.copytree(tmp_path / "bundle", damaged)
    weights = bytearray((damaged / "weights.safetensors").read_bytes())
    weights[-1] ^= 1
    (damaged / "weights.safetensors").write_bytes(bytes(weights))
    refused(run("predict", damaged, photo, "--out", out), "weights.safetensors")
    assert not out.exists()


@needs_mount
def test_a_full_disk_is_said_and_leaves_nothing_half_written(run: Run, tmp_path: Path) -> None:
    data = write_blobs(tmp_path / "large", train=12, hw=(160, 160))
    with small_disk(tmp_path / "disk", "size=200k") as disk:
        refused(run("convert", data, disk / "out", "--to", "voc"), "disk is full")
        refused(run("check", data, "--fix", "--out", disk / "out"), "disk is full")
        assert list(disk.iterdir()) == []


@needs_mount
def test_a_read_only_place_is_said_before_any_work(run: Run, blobs: Path, tmp_path: Path) -> None:
    masks = shutil.copytree(blobs / "val/masks", tmp_path / "masks")
    with small_disk(tmp_path / "disk", "size=200k", "ro") as disk:
        refused(run("convert", blobs, disk / "out", "--to", "voc"), "read-only")
        refused(run("check", blobs, "--fix", "--out", disk / "out"), "read-only")
        refused(
            run("score", blobs / "val/masks", masks, "--classes", blobs / "classes.toml", "--out", disk), "read-only"
        )
        pytest.importorskip("torch")
        refused(run("train", blobs, "--out", disk / "out", "--minutes", 1), "read-only")
        refused(run("demo", "--out", disk / "out"), "read-only")
        refused(run("predict", tmp_path / "no bundle", blobs, "--out", disk / "out"), "read-only")
        refused(run("evaluate", tmp_path / "no bundle", blobs, "--out", disk / "out"), "read-only")


@needs_mount
def test_a_disk_that_fills_while_results_are_written_is_said(run: Run, blobs: Path, tmp_path: Path) -> None:
    masks = shutil.copytree(blobs / "val/masks", tmp_path / "masks")
    with small_disk(tmp_path / "disk", "size=200k") as disk:
        fill(disk)
        code, _, err = run("score", masks, blobs / "val/masks", "--classes", blobs / "classes.toml", "--out", disk)
        assert (code, "disk is full" in err) == (2, True), err
        assert [path.name for path in disk.iterdir()] == ["filler"]
        pytest.importorskip("torch")
        from data.small_bundle import make_bundle

        make_bundle(tmp_path / "bundle")
        refused(run("predict", tmp_path / "bundle", blobs / "val/images", "--out", disk), "disk is full")
        refused(run("demo", "--out", disk / "demo"), "disk is full")
        assert [path.name for path in disk.rglob("*") if path.is_file()] == ["filler"]


@needs_mount
def test_a_demonstration_on_a_small_disk_leaves_no_half_a_photo(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    with small_disk(tmp_path / "disk", "size=400k") as disk:
        code, _, err = run("demo", "--out", disk / "demo")
        assert (code, "disk is full" in err) == (2, True), err
        for path in disk.rglob("*.jpg"):
            assert path.read_bytes().endswith(b"\xff\xd9")
        assert not list(disk.rglob("*.partial*"))


def test_a_demonstration_of_no_time_is_refused_before_anything_is_drawn(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    for minutes in (0, -1, "nan"):
        refused(run("demo", "--out", tmp_path / "demo", "--minutes", minutes), "--minutes")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["check", "convert", "plan", "train", "evaluate", "score", "inspect"])
def test_a_picture_above_the_pixel_budget_is_refused_with_the_flag_that_allows_it(
    run: Run, blobs: Path, tmp_path: Path, command: str
) -> None:
    if command in ("plan", "train", "evaluate"):
        pytest.importorskip("torch")
    (blobs / "classes.toml").unlink()  # so that classes are read off the masks
    arguments = on_data(command, blobs, tmp_path / "out")
    if command == "evaluate":
        from data.small_bundle import make_bundle

        make_bundle(tmp_path / "bundle")
        arguments = [command, tmp_path / "bundle", blobs]
    elif command == "score":
        (tmp_path / "classes.txt").write_text("ground\nsquare\ndisc\n")
        masks = shutil.copytree(blobs / "val/masks", tmp_path / "masks")
        arguments = [command, masks, blobs / "val/masks", "--classes", tmp_path / "classes.txt"]
    outcome = run(*arguments, "--max-pixels", 48 * 64 - 1)
    refused(outcome, "larger than the pixel budget", "64x48", "at most 3071", "--max-pixels 3072")
    assert not (tmp_path / "out").exists()


def test_the_pixel_budget_can_be_raised(run: Run, blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tessella.files.images.PHOTO_BUDGET", 1000)
    mask = blobs / "val/masks/val00.png"
    for command in (["check", blobs], ["convert", blobs, tmp_path / "out", "--to", "voc"], ["inspect", mask]):
        assert "64x48 = 3072 pixels" in " ".join("".join(run(*command)[1:]).split())  # tables break lines
        assert run(*command, "--max-pixels", 3072)[0] == 0
    pytest.importorskip("torch")
    from data.small_bundle import make_bundle

    make_bundle(tmp_path / "bundle")
    command = ["predict", tmp_path / "bundle", blobs / "val/images", "--out", tmp_path / "predicted"]
    code, _, err = run(*command)
    assert (code, "--max-pixels 3072" in err) == (1, True), err
    assert run(*command, "--max-pixels", 3072)[0] == 0


def test_a_bug_is_reported_as_a_bug(run: Run, blobs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("tessella._doors.labels.open_dataset", explode)
    code, _, err = run("check", blobs)
    assert code == 3
    assert "ZeroDivisionError" in err
    assert "this is a bug in Tessella" in err


def test_a_fault_in_an_archive_is_told_by_the_path_of_the_archive(
    run: Run, blobs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mask = blobs / "train/masks/train00.png"
    mask.write_bytes(mask.read_bytes()[:40])
    (tmp_path / "packed").mkdir()
    blobs.rename(tmp_path / "packed/blobs")
    data = shutil.make_archive(str(tmp_path / "one.two"), "tar", tmp_path / "packed")
    for name in (data, shutil.copy(data, tmp_path / "again.tar")):
        outcome = run("convert", name, tmp_path / "out", "--to", "voc")
        refused(outcome, f"tessella: {name}/blobs/train/masks/{mask.name}: ")
        assert "cache" not in outcome[2]
