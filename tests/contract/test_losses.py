"""What every row of the losses table must do."""

import pytest
import torch

from tessella.core.classes import IGNORE
from tessella.core.errors import RecipeError
from tessella.losses import LOSSES, build_loss
from tessella.recipe.plan import LossPlan, LossTerm

EVERY = pytest.mark.parametrize("name", LOSSES)
WEIGHTS = pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (0.5, 2.0, 0.0)])


WITH_OPTIONS = [
    *((name, {}) for name in LOSSES),
    ("dice", {"smooth": 0.0}),
    ("jaccard", {"smooth": 0.0}),
    ("lovasz", {"over": "image"}),
]


def loss_of(name, options=None, *, weights=(1.0, 1.0, 1.0)):
    term = LossTerm(name=name, weight=1.0, options=options or {})
    return build_loss(LossPlan(terms=(term,), class_weights=weights, auxiliary=0.0))


def case(seed=0, *, shape=(2, 6, 7)):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(shape[0], 3, *shape[1:], generator=generator)
    return logits.requires_grad_(), torch.randint(0, 3, shape, generator=generator)


@pytest.mark.parametrize(("name", "options"), WITH_OPTIONS)
@WEIGHTS
def test_an_all_ignore_crop_costs_nothing_and_moves_nothing(name, options, weights):
    logits, target = case()
    value = loss_of(name, options, weights=weights)(logits, torch.full_like(target, IGNORE))
    value.backward()
    assert float(value.detach()) == 0
    assert (logits.grad == 0).all()


@EVERY
@WEIGHTS
def test_ignored_pixels_have_no_gradient_and_their_logits_no_effect(name, weights):
    logits, target = case()
    target[:, 2:4] = IGNORE
    loss = loss_of(name, weights=weights)
    value = loss(logits, target)
    value.backward()
    assert (logits.grad.movedim(1, -1)[target == IGNORE] == 0).all()
    assert (logits.grad != 0).any()
    changed = logits.detach().clone()
    changed[:, :, 2:4] = 1000
    torch.testing.assert_close(loss(changed, target), value.detach())


@EVERY
def test_ignored_pixels_that_are_not_finite_have_no_effect(name):
    # a network can answer anything outside the photo
    logits, target = case()
    target[:, 2:4] = IGNORE
    changed = logits.detach().clone()
    changed[:, :, 2:4] = 1e30
    assert loss_of(name)(changed, target).isfinite()


@EVERY
@WEIGHTS
def test_gradients_are_finite_where_the_network_is_sure_or_wrong(name, weights):
    _, target = case()
    right = torch.nn.functional.one_hot(target, 3).movedim(-1, 1).float()
    for factor in (0.0, 30.0, 1e4, -30.0, -1e4):
        logits = (right * factor).requires_grad_()
        value = loss_of(name, weights=weights)(logits, target)
        value.backward()
        assert value.isfinite()
        assert logits.grad.isfinite().all()
        assert value >= 0


@EVERY
def test_a_step_against_the_gradient_lowers_the_loss(name):
    logits, target = case()
    loss = loss_of(name)
    value = loss(logits, target)
    value.backward()
    assert loss(logits.detach() - 0.1 * logits.grad / logits.grad.abs().max(), target) < value


@EVERY
def test_the_gradient_is_that_of_the_values(name):
    torch.manual_seed(0)
    logits, target = case(shape=(1, 2, 3))
    loss = loss_of(name)
    loss(logits, target).backward()
    ways = torch.randn(8, *logits.shape)
    for way in ways:
        ahead, behind = (loss(logits.detach() + step * way, target) for step in (5e-3, -5e-3))
        # lovasz has kinks where two errors change places; none lies within the step for this seed
        assert float((ahead - behind) / 1e-2) == pytest.approx(float((logits.grad * way).sum()), rel=2e-2, abs=2e-3)


@EVERY
def test_memory_format_and_low_precision_do_not_matter(name):
    logits, target = case()
    loss = loss_of(name)
    value = loss(logits, target)
    torch.testing.assert_close(loss(logits.contiguous(memory_format=torch.channels_last), target), value)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(loss(logits, target), value, rtol=1e-6, atol=1e-6)
    low = loss(logits.bfloat16(), target)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, value, rtol=3e-2, atol=3e-3)


@EVERY
def test_another_ignore_id_is_honoured(name):
    logits, target = case()
    target[:, 0] = IGNORE
    loss = loss_of(name)
    torch.testing.assert_close(loss(logits, target.where(target != IGNORE, 7), ignore=7), loss(logits, target))


@EVERY
def test_an_unknown_option_is_refused_with_the_nearest_name(name):
    with pytest.raises(RecipeError, match=f"loss {name}: there is no option 'treshold'"):
        loss_of(name, {"treshold": 0.5})


class Foreign:
    """An entry point of another package."""

    name = "theirs"

    def load(self):
        def scaled(logits, target, *, class_weights, ignore, factor=2.0):
            return factor * logits.sum()

        return scaled


def test_a_loss_of_another_package_is_found_by_entry_point(monkeypatch):
    monkeypatch.setattr("tessella.losses.entry_points", lambda group: [Foreign()] * (group == "tessella.losses"))
    logits, target = torch.ones(1, 3, 1, 2), torch.zeros(1, 1, 2, dtype=torch.int64)
    assert float(loss_of("theirs", {})(logits, target)) == 12
    assert float(loss_of("theirs", {"factor": 3.0})(logits, target)) == 18
    with pytest.raises(RecipeError, match="did you mean 'factor'"):
        loss_of("theirs", {"facotr": 1.0})


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("focall", {}, "no loss is called 'focall'.*did you mean 'focal'"),
        ("ohem", {"treshold": 0.5}, "did you mean 'threshold'"),
        ("ohem", {"threshold": 1.5}, "'threshold' cannot be used; got 1.5; expected less than or equal to 1"),
        ("ohem", {"threshold": "high"}, "got 'high'; expected a valid number"),
        ("cross-entropy", {"smoothing": True}, "got True"),
        ("lovasz", {"over": "pixel"}, "expected 'batch' or 'image'"),
    ],
)
def test_a_wrong_setting_is_explained(name, options, says):
    with pytest.raises(RecipeError, match=says):
        loss_of(name, options)
