"""Data sets opened as they were for training: the same split or none, and options that are asked again."""

from pathlib import Path

import pytest

import tessella.dataset.splits
from data.geo import geopackage, tiles
from data.layouts import photo_of, save
from tessella.cli.flags import options_of
from tessella.core.errors import FormatError, InputError, RecipeError
from tessella.dataset.index import Index, open_dataset
from tessella.dataset.splits import digest_of_drawn
from tessella.recipe.opening import open_as_trained, open_to_resume, reading_of, split_as_trained
from tessella.recipe.plan import UNKNOWN_READING, Plan
from tessella.recipe.starter import starter_plan


def plan_of(index: Index, *, known: bool = True) -> Plan:
    """Return a plan that knows how its data set was read and split, as the planner keeps it."""
    plan = starter_plan(index.table)
    held_out = digest_of_drawn(index.records, index.splits) if known else ""
    splits = {"split_seed": index.rule.seed, "held_out": held_out, "split": "; ".join(index.split_notes)}
    reading = reading_of(index) if known else UNKNOWN_READING
    return plan.model_copy(update={"splits": plan.splits.model_copy(update=splits), "reading": reading})


def names_of(index: Index) -> set[str]:
    return {record.name for record in index.records}


def photos(root: Path, names: str) -> Path:
    for seed, name in enumerate(names):
        save(root / "images" / f"{name}x.png", photo_of(seed))
        save(root / "masks" / f"{name}x.png", photo_of(seed)[..., 0] // 128)
    return root


def test_an_unchanged_folder_is_split_as_it_was(tmp_path: Path) -> None:
    trained = open_dataset(photos(tmp_path, "abcdefghij"), split_seed=5)
    plan = plan_of(trained)
    again = open_as_trained(tmp_path, plan)
    assert names_of(split_as_trained(again, plan, "val")) == names_of(trained.split("val"))
    assert names_of(split_as_trained(again, plan, "train")) == names_of(trained.split("train"))
    assert names_of(open_to_resume(tmp_path, plan)) == names_of(trained)


def test_photos_added_since_are_not_split_anew(tmp_path: Path) -> None:
    plan = plan_of(open_dataset(photos(tmp_path, "abcdefghij"), split_seed=5))
    photos(tmp_path, "abcdefghijklmnopq")
    with pytest.raises(InputError, match="not the one drawn for training") as caught:
        split_as_trained(open_as_trained(tmp_path, plan), plan, "val")
    error = caught.value
    assert error.where == str(tmp_path)
    assert "of 17 photos set aside" in error.got
    assert "2 of 10 photos set aside" in error.expected
    assert plan.splits.held_out[:12] in error.expected
    assert "--split all" in error.fix
    with pytest.raises(InputError, match=r"not the one drawn for training.*start again without --resume"):
        open_to_resume(tmp_path, plan)
    with pytest.raises(InputError, match="not the one drawn for training"):
        open_to_resume(open_dataset(tmp_path, split_seed=5), plan)


def test_photos_that_are_grouped_otherwise_since_are_not_scored(tmp_path: Path, monkeypatch) -> None:
    places = {f"set/{name}": (500 * (number // 2) + 30 * (number % 2), 0) for number, name in enumerate("hgfedcba")}
    tiles(tmp_path, places)
    with monkeypatch.context() as before:
        before.setattr(tessella.dataset.splits, "on_shared_ground", lambda _: [])
        trained = open_dataset(tmp_path)
        plan = plan_of(trained)
    index = open_as_trained(tmp_path, plan)
    assert names_of(index.split("val")) & names_of(trained.split("train")), "else this test would tell nothing"
    with pytest.raises(InputError, match="not the one drawn for training"):
        split_as_trained(index, plan, "val")


def test_a_plan_that_knows_no_held_out_photos_scores_no_drawn_split(tmp_path: Path) -> None:
    index = open_dataset(photos(tmp_path, "abcdefghij"))
    plan = plan_of(index, known=False)
    with pytest.raises(InputError, match=r"does not know which photos were held out.*--split all"):
        split_as_trained(open_as_trained(tmp_path, plan), plan, "val")
    assert names_of(open_to_resume(tmp_path, plan)) == names_of(index), "checkpoints know what was trained on"


def test_a_run_that_does_not_know_how_its_data_were_read_goes_on_as_it_is_told(tmp_path: Path) -> None:
    index = open_dataset(photos(tmp_path / "data", "abcdefghij"))
    plan = plan_of(index, known=False)
    for said in ({}, {"format": "index-mask"}, {"max_pixels": 10**6}, {"options": {}}):
        assert open_to_resume(tmp_path / "data", plan, **said).format == "index-mask"
    assert open_to_resume(index, plan) is index
    with pytest.raises(FormatError, match="no option 'annotator'"):
        open_to_resume(tmp_path / "data", plan, options={"annotator": "7"})
    known = plan_of(index)
    with pytest.raises(RecipeError, match=r"got reading\.format = 'voc'; expected reading\.format = 'index-mask'"):
        open_to_resume(tmp_path / "data", known, format="voc")


def test_splits_that_the_data_set_states_are_scored_whatever_the_plan_knows(tmp_path: Path) -> None:
    photos(tmp_path / "train", "abcdefgh")
    photos(tmp_path / "test", "tu")
    index = open_dataset(tmp_path)
    plan = plan_of(index, known=False)
    assert len(split_as_trained(index, plan, "test")) == 2
    with pytest.raises(InputError, match="does not know which photos were held out"):
        split_as_trained(index, plan, "val")
    photos(tmp_path / "val", "yz")
    assert len(split_as_trained(open_as_trained(tmp_path, plan), plan, "val")) == 2


def test_the_digest_is_of_the_drawn_names_alone(tmp_path: Path) -> None:
    index = open_dataset(photos(tmp_path / "one", "abcdefghij"))
    other = open_dataset(photos(tmp_path / "two", "abcdefghij"))
    digest = digest_of_drawn(index.records, index.splits)
    assert len(digest) == 64
    assert digest_of_drawn(other.records, other.splits) == digest
    assert digest_of_drawn(index.records[::-1], index.splits[::-1]) == digest
    turned = ["train" if split == "val" else "val" for split in index.splits]
    assert digest_of_drawn(index.records, turned) != digest
    stated = index.subset(range(len(index)))
    assert digest_of_drawn(stated.records, stated.splits) == ""


def plan_asking(index: Index, **options: str) -> Plan:
    plan = plan_of(index)
    return plan.model_copy(update={"reading": plan.reading.model_copy(update={"options": options})})


def test_what_was_asked_for_training_is_asked_again_and_can_be_taken_back(tmp_path: Path) -> None:
    index = open_dataset(geopackage(tmp_path / "set"))
    plan = plan_asking(index, layer="labels", **{"class": "class"})
    assert open_as_trained(index.root, plan).listing.options == {"layer": "labels", "class": "class"}
    for said, left in (
        ({"layer": ""}, {"class": "class"}),
        ({"layer": "", "class": ""}, {}),
        ({"layer": "Labels"}, {"layer": "Labels"}),
        ({"layer": "Labels", "class": ""}, {"layer": "Labels"}),
        ({}, {}),
    ):
        assert open_as_trained(index.root, plan, options=said).listing.options == left
    with pytest.raises(FormatError, match=r"has no option 'layr'.*did you mean 'layer'"):
        open_as_trained(index.root, plan, options={"layr": ""})
    with pytest.raises(RecipeError, match=r"got reading\.options\.layer = ''; expected .* = 'labels'"):
        open_to_resume(index.root, plan, options={"layer": ""})


def test_an_option_of_training_that_does_not_fit_other_data_says_where_it_comes_from(tmp_path: Path) -> None:
    index = open_dataset(geopackage(tmp_path / "set"))
    plan = plan_asking(index, layer="roofs")
    with pytest.raises(FormatError, match="no GeoPackage has a layer 'roofs'") as caught:
        open_as_trained(index.root, plan)
    assert "layer=roofs was asked for training" in caught.value.fix
    assert "--option layer= " in caught.value.fix
    assert caught.value.expected == "'labels' with 12 features"
    with pytest.raises(FormatError, match="no GeoPackage has a layer 'roads'") as caught:
        open_as_trained(index.root, plan, options={"layer": "roads"})
    assert "asked for training" not in str(caught.value), "it was asked now"
    assert len(open_as_trained(index.root, plan, options=options_of(["layer="]))) == len(index)
