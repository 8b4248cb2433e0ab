"""The feed: the same crops in the same order, whatever the threads, wherever a run begins."""

import numpy as np
import pytest

from data.blobs import write_blobs
from data.layouts import box, labelme, labelme_file
from data.training_plans import small_plan
from tessella.core.errors import ImageError, TrainingError
from tessella.dataset import open_dataset
from tessella.training.feed import CropSource, Feed, epoch_order


class Numbers:
    """A source whose crops tell which sample they are of, and a random number."""

    def __init__(self, count, broken=()):
        self.count, self.broken = count, set(broken)

    def __len__(self):
        return self.count

    def choose(self, position, _rng):
        return position, None

    def crop(self, position, rng, **_):
        if position in self.broken:
            raise ImageError("torn", where=f"{position}.png")
        pixels = np.full((2, 2, 1), position, np.uint8)
        return pixels, np.full((2, 2), rng.integers(250), np.uint8)


def feed(source, *, workers=0, first=0, batch=3, settle=None):
    settle = settle or (lambda _: (batch, 0.0))
    return Feed(source, seed=5, workers=workers, first_batch=first // batch, first_crop=first, settle=settle)


def take(feed, count):
    batches = [feed.next() for _ in range(count)]
    feed.close()
    return batches


def positions(batches):
    return [position for batch in batches for position in batch.positions]


def same(ours, theirs):
    return all(
        np.array_equal(a.pixels, b.pixels) and np.array_equal(a.ids, b.ids) and a.positions == b.positions
        for a, b in zip(ours, theirs, strict=True)
    )


def test_every_epoch_shows_every_sample_once_in_another_order():
    seen = positions(take(feed(Numbers(6)), 4))
    assert sorted(seen[:6]) == sorted(seen[6:]) == list(range(6))
    assert seen[:6] != seen[6:]
    assert list(epoch_order(5, 0, 6)) == seen[:6]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_threads_change_nothing(workers):
    assert same(take(feed(Numbers(7)), 9), take(feed(Numbers(7), workers=workers), 9))


def test_a_run_goes_on_from_the_number_of_its_next_crop():
    whole = take(feed(Numbers(7)), 9)
    assert same(whole[4:], take(feed(Numbers(7), first=12), 5))


def test_another_seed_gives_another_order():
    assert list(epoch_order(1, 0, 50)) != list(epoch_order(2, 0, 50))


def test_a_broken_sample_is_named_and_replaced_by_the_next_in_the_order():
    order = list(epoch_order(5, 0, 6))
    batches = take(feed(Numbers(6, broken=[order[1]])), 2)
    assert positions(batches) == [order[0], order[2], order[2], order[3], order[4], order[5]]
    assert [broken.position for broken in batches[0].broken] == [order[1]]
    assert "torn" in batches[0].broken[0].why
    assert batches[1].broken == ()


@pytest.mark.parametrize("workers", [0, 2])
def test_when_nothing_can_be_read_the_run_ends(workers):
    broken = feed(Numbers(3, broken=range(3)), workers=workers)
    with pytest.raises(TrainingError, match=r"no photo of the training split can be read.*torn"):
        broken.next()
    broken.close()


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_of_changing_size_still_show_every_sample_once(workers):
    batches = take(feed(Numbers(6), workers=workers, settle=lambda batch: ((4, 1, 1, 6)[batch % 4], 0.0)), 4)
    assert [len(batch.positions) for batch in batches] == [4, 1, 1, 6]
    assert [batch.next_crop for batch in batches] == [4, 5, 6, 12]
    assert positions(batches) == positions(take(feed(Numbers(6), batch=12), 1))


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    root = write_blobs(tmp_path_factory.mktemp("feed") / "data")
    return open_dataset(root, classes=root / "classes.toml").split("train")


def crops_of(index, **changes):
    return CropSource(index, small_plan(index.table, **changes), max_bytes=1 << 20, threads=2)


def test_crops_have_the_size_of_the_plan_and_ids_of_the_table(blobs):
    batch = take(feed(crops_of(blobs), batch=4), 1)[0]
    assert batch.pixels.shape == (4, 32, 32, 3)
    assert batch.pixels.dtype == np.uint8
    assert set(np.unique(batch.ids)) <= {0, 1, 2, 255}


def test_favoured_rare_classes_are_seen_more_often(blobs):
    def discs(rare):
        batch = take(feed(crops_of(blobs, augment__rare_class=rare, augment__scale=[2.0, 2.0]), batch=60), 1)[0]
        return sum((ids == 2).any() for ids in batch.ids)

    assert discs(1.0) > discs(0.0)


def test_a_grey_photo_among_colour_photos_is_repeated_in_all_bands(blobs):
    source = crops_of(blobs)
    source._cache._kept[0] = (np.full((48, 64, 1), 9, np.uint8), np.zeros((48, 64), np.uint8))
    pixels, _ = source.crop(0, np.random.default_rng(0), focus=None, progress=0.0)
    assert pixels.shape == (32, 32, 3)


def test_a_photo_with_other_bands_is_broken(blobs):
    source = crops_of(blobs)
    source._cache._kept[0] = (np.zeros((48, 64, 5), np.uint8), np.zeros((48, 64), np.uint8))
    with pytest.raises(ImageError, match="train00"):
        source.crop(0, np.random.default_rng(0), focus=None, progress=0.0)


def test_a_photo_whose_labels_were_drawn_on_another_size_is_broken(tmp_path):
    root = labelme(tmp_path, count=3)
    labelme_file(root / "p1.json", [box("road", 0, 0, 32, 24)], photo="p1.png", hw=(24, 32))
    index = open_dataset(root)
    batch = take(feed(crops_of(index), batch=6), 1)[0]
    assert set(batch.positions) == {0, 2}
    assert {broken.position for broken in batch.broken} == {1}
    assert "another size" in batch.broken[0].why
