"""Single steps of the loop: labels matched to logits, accumulation, clipping, no update where a loss is not finite."""

import numpy as np
import pytest
import torch

from data.training_plans import small_plan
from tessella.core.classes import ClassTable
from tessella.core.errors import RecipeError, TrainingError
from tessella.training.feed import Batch
from tessella.training.loop import Surroundings, batch_loss, matched, take_step
from tessella.training.run import make_learner

TABLE = ClassTable.from_names(["a", "b", "c"])


def batch(seed=0, count=2):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return Batch(pixels, rng.integers(0, 3, (count, 32, 32)).astype(np.uint8), tuple(range(count)), (), count)


def surroundings(plan):
    return Surroundings(plan, [f"photo{n}.jpg" for n in range(9)], None, None, None, None, lambda: 0.0)


def weights_after_step(batches, **changes):
    plan = small_plan(TABLE, optimiser__name="sgd", optimiser__momentum=0.0, **changes)
    torch.manual_seed(0)
    learner, _ = make_learner(plan)
    before = [parameter.detach().clone() for parameter in learner.network.parameters()]
    loss, norm = take_step(learner, batches, rate=0.1, around=surroundings(plan), step=0)
    after = [parameter.detach().clone() for parameter in learner.network.parameters()]
    return before, after, loss, norm


def test_labels_are_taken_at_the_centres_of_coarse_logits():
    ids = torch.arange(64).reshape(1, 8, 8)
    logits, picked = matched(torch.zeros(1, 3, 2, 2), ids)
    assert logits.shape == (1, 3, 2, 2)
    assert picked.tolist() == [[[18, 22], [50, 54]]]


def test_at_half_the_size_every_label_has_its_turn():
    ids = torch.arange(16).reshape(1, 4, 4)
    torch.manual_seed(0)
    seen = {label for _ in range(50) for label in matched(torch.zeros(1, 3, 2, 2), ids)[1].flatten().tolist()}
    assert seen == set(range(16))


def test_logits_of_full_size_are_left_alone():
    ids = torch.zeros(1, 8, 8, dtype=torch.long)
    logits = torch.zeros(1, 3, 8, 8)
    assert matched(logits, ids)[0] is logits


def test_a_label_lies_in_its_cell_also_where_the_crops_edge_cuts_the_cell():
    height, width = 37, 90
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    for ratio in (2, 3, 4, 8, 32):
        tall, wide = -(-height // ratio), -(-width // ratio)
        for grid, cells, axis in ((rows, tall, 1), (columns, wide, 2)):
            logits, picked = matched(torch.zeros(1, 3, tall, wide), grid[None])
            assert picked.shape == (1, tall, wide)
            assert logits.shape == (1, 3, tall, wide)
            of_cell = picked[0, :, 0] if axis == 1 else picked[0, 0]
            assert (of_cell // ratio).tolist() == list(range(cells))


def test_a_size_that_several_fractions_have_is_taken_for_a_halving():
    # 330 rows at stride 32 make 11 cells, and so they would at 30 and at 31
    rows = torch.arange(330).repeat(330, 1).T[None]
    assert matched(torch.zeros(1, 3, 11, 11), rows)[1][0, :, 0].tolist() == [*range(16, 330, 32), 329]


def test_logits_that_are_no_fraction_of_the_crop_are_refused():
    with pytest.raises(RecipeError, match=r"no whole fraction of its crops.*got \(5, 5\) for crops of \(8, 8\)"):
        matched(torch.zeros(1, 3, 5, 5), torch.zeros(1, 8, 8, dtype=torch.long))


def test_two_halves_accumulated_are_the_whole_batch():
    whole = batch(count=4)
    halves = [Batch(whole.pixels[part], whole.ids[part], (0, 1), (), 2) for part in (slice(0, 2), slice(2, 4))]
    # without batch statistics the gradient of a mean is the mean of gradients
    results = []
    for batches in ([whole], halves):
        plan = small_plan(TABLE, optimiser__name="sgd", optimiser__momentum=0.0, optimiser__clip_norm=0.0)
        torch.manual_seed(0)
        learner, _ = make_learner(plan)
        learner.network.eval()
        loss, _ = take_step(learner, batches, rate=0.1, around=surroundings(plan), step=0)
        results.append((loss, torch.cat([parameter.flatten() for parameter in learner.network.parameters()])))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    assert torch.allclose(results[0][1], results[1][1], atol=1e-6)


def test_clipping_bounds_the_length_of_the_step():
    before, after, _, norm = weights_after_step([batch()], optimiser__clip_norm=0.01, optimiser__weight_decay=0.0)
    moved = torch.cat([(b - a).flatten() for b, a in zip(before, after, strict=True)]).norm()
    assert norm > 0.01
    assert float(moved) == pytest.approx(0.1 * 0.01, rel=1e-3)


def test_a_loss_that_is_not_finite_leaves_weights_and_moments_untouched():
    plan = small_plan(TABLE)
    learner, optimiser = make_learner(plan)
    with torch.no_grad():
        next(iter(learner.network.parameters())).fill_(float("nan"))
    before = [parameter.detach().clone() for parameter in learner.network.parameters()]
    with pytest.raises(TrainingError, match=r"photo0\.jpg, photo1\.jpg: the loss is not finite at step 8"):
        take_step(learner, [batch()], rate=0.1, around=surroundings(plan), step=7)
    after = list(learner.network.parameters())
    assert all(torch.equal(b, a) or bool(b.isnan().all()) for b, a in zip(before, after, strict=True))
    assert not optimiser.state


def test_a_gradient_that_is_not_finite_stops_too():
    plan = small_plan(TABLE, optimiser__clip_norm=0.0)
    learner, _ = make_learner(plan)
    next(iter(learner.network.parameters())).register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(TrainingError, match="the gradient is not finite at step 1"):
        take_step(learner, [batch()], rate=0.1, around=surroundings(plan), step=0)


def test_auxiliary_outputs_add_their_share_of_the_loss():
    class TwoHeads(torch.nn.Module):
        training = True

        def forward(self, pixels):
            logits = torch.zeros(len(pixels), 3, 32, 32)
            return logits, logits[..., ::4, ::4], logits[..., ::8, ::8]

    learner, _ = make_learner(small_plan(TABLE))
    learner.network = TwoHeads()
    for share, expected in ((0.0, 1.0), (0.25, 1.5)):
        loss = batch_loss(learner, batch(), plan=small_plan(TABLE, loss__auxiliary=share))
        assert float(loss) == pytest.approx(expected * np.log(3), rel=1e-5)


def test_the_feed_is_nhwc_and_the_network_sees_channels_last():
    seen = []
    learner, _ = make_learner(small_plan(TABLE))
    learner.network.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    batch_loss(learner, batch(), plan=small_plan(TABLE))
    assert seen[0].shape == (2, 3, 32, 32)
    assert seen[0].dtype == torch.uint8
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shows", [True, False])
def test_panels_are_made_only_where_they_are_shown(shows):
    from types import SimpleNamespace

    from tessella.metrics import PixelCounts, Scores
    from tessella.training.loop import Course, validate
    from tessella.training.validate import Validation

    asked = []

    def score(network, *, show):
        asked.append(show)
        return Validation(Scores(TABLE, PixelCounts.zero(3), 0), 0.1, ())

    plan = small_plan(TABLE)
    around = Surroundings(
        plan,
        [],
        None,
        SimpleNamespace(elapsed=lambda: 1.0),
        SimpleNamespace(shows_pictures=shows, write=lambda *_, **__: None),
        SimpleNamespace(is_affordable=lambda _: True, score=score),
        lambda: 0.0,
    )
    validate(make_learner(plan)[0], Course(), around)
    assert (asked[0] is not None) == shows
