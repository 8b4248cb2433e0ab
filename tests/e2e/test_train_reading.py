"""A run remembers how its data were read: photos of a further folder, format and options reach every step."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("torch")

import tessella
from data.label_studio import annotation, box, export, task
from data.layouts import photo_of, save
from tessella.bundle.opening import open_bundle
from tessella.cli.main import main
from tessella.core.errors import FormatError, InputError, RecipeError

SMALL = (
    "model.name=unet",
    "model.options.width=4",
    "model.options.depth=2",
    "training.batch=2",
    "training.threads=1",
    "training.workers=1",
    "augment.crop_hw=[32, 32]",
)
HW = (48, 64)
ASKED = {"annotator": "7"}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a zip of twelve tasks that two people annotated otherwise; the photos lie in `photos` beside it."""
    root = tmp_path_factory.mktemp("reading")
    listed = []
    for seed in range(12):
        save(root / "photos" / f"p{seed}.png", photo_of(seed, HW))
        mine = annotation(box("road", 4, 4, 30 + seed, 30, hw=HW), completed_by=7)
        theirs = annotation(box("road", 30, 20, 60, 44, hw=HW), completed_by=8, updated_at="2025-01-01T00:00:00Z")
        # two tasks have nothing of annotator 7: without the option they would be split, and scored, with the rest
        listed.append(task(seed + 1, f"p{seed}.png", *((mine, theirs) if seed > 1 else (theirs,))))
    export(root / "tasks.json", *listed)
    with zipfile.ZipFile(root / "tasks.zip", "w") as archive:
        archive.write(root / "tasks.json", "project/tasks.json")
    return root / "tasks.zip"


@pytest.fixture(scope="module")
def asked(tasks: Path) -> dict:
    return {"photos": tasks.parent / "photos", "options": ASKED, "epochs": 1, "overrides": SMALL, "seed": 3}


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def run(cache, tasks: Path, asked: dict):
    return tessella.train(tasks, out=tasks.parent / "run", **asked)


def test_the_plan_says_how_the_data_were_read(run, tasks: Path, asked: dict) -> None:
    reading = run.plan.reading
    assert reading == tessella.plan(tasks, **asked).reading
    assert (reading.format, reading.options, reading.photos) == ("label-studio", ASKED, "photos")
    assert "annotator=7 as asked" in run.plan.why["classes"]
    assert run.plan.splits.train_samples + run.plan.splits.val_samples == 10


def test_the_bundle_says_what_it_was_trained_on_and_how_it_was_read(run, tasks: Path) -> None:
    from tessella.files.hashes import sha256_file

    bundle = open_bundle(run.bundle)
    said = bundle.manifest.provenance
    assert bundle.plan.reading == run.plan.reading
    assert (said["data"], said["format"], said["photos"]) == ("tasks.zip", "label-studio", "photos")
    assert said["options"] == "annotator=7"
    assert said["data_sha256"] == sha256_file(tasks)
    assert "- options: annotator=7" in (run.bundle / "card.md").read_text()


@pytest.mark.parametrize(
    "change",
    [lambda archive: archive.write_bytes(b"PK another"), lambda archive: archive.unlink(missing_ok=True)],
    ids=["replaced", "gone"],
)
def test_an_archive_is_known_by_what_was_read_whatever_becomes_of_it_while_it_is_trained_on(
    change, cache, tasks: Path, asked: dict, tmp_path: Path
) -> None:
    from tessella.files.hashes import sha256_file

    mine = Path(shutil.copy(tasks, tmp_path / "mine.zip"))
    run = tessella.train(mine, out=tmp_path / "run", progress=lambda _: change(mine), **asked)
    assert not mine.exists() or mine.read_bytes() == b"PK another"
    assert open_bundle(run.bundle).manifest.provenance["data_sha256"] == sha256_file(tasks)


def test_scoring_reads_the_data_as_training_did(run, tasks: Path, asked: dict) -> None:
    held_out = {row.name for row in run.reports["val"].rows}
    report = tessella.evaluate(run.bundle, tasks, photos=asked["photos"])
    assert {row.name for row in report.rows} == held_out, "without the option two more photos would be split"
    assert report.miou == run.reports["val"].miou
    other = tessella.evaluate(run.bundle, tasks, photos=asked["photos"], options={"annotator": "8"}, split="all")
    assert len(other.rows) == 12


def test_a_run_goes_on_with_the_data_as_they_were_read(run, tasks: Path, asked: dict) -> None:
    again = tessella.train(tasks, out=run.folder, photos=asked["photos"], resume=True)
    assert again.plan == run.plan
    assert again.reports["val"].miou == run.reports["val"].miou


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"options": {"annotator": "8"}}, r"got reading\.options\.annotator = '8'; expected .* = '7'"),
        ({"options": {"colour": "red"}}, r"got reading\.options\.colour = 'red'; expected no reading\.options\.colour"),
        ({"format": "coco"}, r"got reading\.format = 'coco'; expected reading\.format = 'label-studio'"),
        ({"photos": None}, "further folder 'photos'.*--photos"),
    ],
)
def test_resuming_with_other_words_about_the_data_is_refused(run, tasks: Path, asked: dict, change, says) -> None:
    with pytest.raises(RecipeError, match=says):
        tessella.train(tasks, out=run.folder, resume=True, **(asked | change))


def test_an_index_read_otherwise_is_not_gone_on_with(run, tasks: Path, asked: dict) -> None:
    for options, got in ((None, "None"), ({"annotator": "8"}, "'8'")):
        index = tessella.open(tasks, photos=asked["photos"], options=options, split_seed=3)
        with pytest.raises(RecipeError, match=rf"got reading\.options\.annotator = {got}; expected .* = '7'"):
            tessella.train(index, out=run.folder, resume=True)


def test_a_photo_changed_since_its_folder_was_locked_is_trained_on_nowhere(tasks: Path, asked: dict, tmp_path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for path in asked["photos"].iterdir():
        (photos / path.name).write_bytes(path.read_bytes())
    tessella.lock(photos)
    (photos / "p3.png").write_bytes((photos / "p3.png").read_bytes() + b" ")
    with pytest.raises(InputError, match="1 changed"):
        tessella.train(tasks, out=tmp_path / "run", **(asked | {"photos": photos}))
    with pytest.raises(InputError, match="1 changed"):
        tessella.check(tasks, photos=photos)
    assert not (tmp_path / "run").exists()


def test_an_option_that_the_format_does_not_know_is_refused_before_anything_is_made(tasks, asked, tmp_path) -> None:
    with pytest.raises(FormatError, match="no option 'anotator'"):
        tessella.train(tasks, out=tmp_path / "run", **(asked | {"options": {"anotator": "7"}}))
    assert not (tmp_path / "run").exists()


def test_the_commands_say_it_with_flags(run, tasks: Path, asked: dict, monkeypatch, capsys) -> None:
    def command(*words: object) -> str:
        monkeypatch.setattr("sys.argv", ["tessella", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        assert not caught.value.code, said.err
        return said.out

    flags = ("--photos", asked["photos"], "--option", "annotator=7")
    settings = [word for setting in SMALL for word in ("--set", setting)]
    plan = json.loads(command("plan", tasks, *flags, "--epochs", 1, "--seed", 3, "--json", *settings))
    assert plan["reading"] == {"format": "label-studio", "options": ASKED, "photos": "photos"}
    command("train", tasks, *flags, "--out", run.folder, "--resume")
    scores = json.loads(command("evaluate", run.bundle, tasks, *flags, "--format", "label-studio", "--json"))
    assert scores["miou"] == pytest.approx(run.reports["val"].miou, abs=1e-9)
