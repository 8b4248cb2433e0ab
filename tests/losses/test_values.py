"""Every loss equals a brute-force computation over the kept pixels, worked out in NumPy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tessella.core.classes import IGNORE
from tessella.losses import LOSSES, build_loss
from tessella.recipe.plan import LossPlan, LossTerm

SETTINGS = [
    ("cross-entropy", {}),
    ("cross-entropy", {"smoothing": 0.1}),
    ("ohem", {}),
    ("ohem", {"threshold": 0.5, "min_kept": 0.5}),
    ("dice", {}),
    ("dice", {"smooth": 0.0}),
    ("jaccard", {}),
    ("jaccard", {"smooth": 0.0}),
    ("focal", {}),
    ("focal", {"gamma": 0.5}),
    ("lovasz", {}),
    ("lovasz", {"over": "image"}),
]


def loss_of(name, options, *, weights=(1.0, 1.0, 1.0)):
    term = LossTerm(name=name, weight=1.0, options=options)
    return build_loss(LossPlan(terms=(term,), class_weights=weights, auxiliary=0.0))


def case(seed, *, ignore_share=0.3, classes=3, shape=(2, 5, 6)):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (shape[0], classes, *shape[1:])).astype(np.float32)
    target = rng.integers(0, classes, shape)
    target[rng.random(shape) < ignore_share] = IGNORE
    return logits, target


def softmax(rows):
    raised = np.exp(rows - rows.max(1, keepdims=True))
    return raised / raised.sum(1, keepdims=True)


def brute(name, options, logits, target, weights):
    """Compute a loss from its definition, pixel by pixel over the kept ones, in float64."""
    if options.get("over") == "image":
        images = [(one[None], ids[None]) for one, ids in zip(logits, target, strict=True) if (ids != IGNORE).any()]
        each = [brute(name, {}, one, ids, weights) for one, ids in images]
        return float(np.mean(each)) if each else 0.0
    kept = target.ravel() != IGNORE
    rows = np.moveaxis(logits, 1, -1).reshape(-1, logits.shape[1]).astype(np.float64)[kept]
    ids = target.ravel()[kept]
    if not len(ids):
        return 0.0
    return BRUTE[name](softmax(rows), ids, np.array(weights), **options)


def brute_cross_entropy(p, ids, weights, smoothing=0.0):
    total = 0.0
    for row, own in zip(p, ids, strict=True):
        wish = np.full(len(row), smoothing / len(row))
        wish[own] += 1 - smoothing
        total -= (wish * np.log(row) * weights).sum()
    return total / weights[ids].sum()


def brute_ohem(p, ids, weights, threshold=0.7, min_kept=0.0625):
    own = p[np.arange(len(ids)), ids]
    hardest_first = np.argsort(own, kind="stable")
    count = max(int((own < threshold).sum()), 1, math.ceil(min_kept * len(ids)))
    chosen = hardest_first[:count]
    return (-np.log(own[chosen]) * weights[ids[chosen]]).sum() / weights[ids[chosen]].sum()


def brute_dice(p, ids, weights, smooth=1.0):
    lost, shares = [], []
    for index in np.unique(ids):
        own = ids == index
        overlap, claimed = p[own, index].sum(), p[:, index].sum()
        lost.append(1 - (2 * overlap + smooth) / (claimed + own.sum() + smooth))
        shares.append(weights[index])
    return np.average(lost, weights=shares)


def brute_jaccard(p, ids, weights, smooth=1.0):
    lost = []
    for index in np.unique(ids):
        own = ids == index
        overlap, claimed = p[own, index].sum(), p[:, index].sum()
        lost.append(1 - (overlap + smooth) / (claimed + own.sum() - overlap + smooth))
    return np.mean(lost)


def brute_focal(p, ids, weights, gamma=2.0):
    own = p[np.arange(len(ids)), ids]
    return ((1 - own) ** gamma * -np.log(own) * weights[ids]).sum() / weights[ids].sum()


def brute_lovasz(p, ids, weights):
    """The Lovász extension by its definition: errors times gains of the set function along the sorted chain."""
    lost, shares = [], []
    for index in np.unique(ids):
        own = ids == index
        errors = np.where(own, 1 - p[:, index], p[:, index])
        before, total = 0.0, 0.0
        mistaken = np.zeros(len(ids), bool)
        for pixel in np.argsort(-errors, kind="stable"):
            mistaken[pixel] = True
            guess = own ^ mistaken
            jaccard_loss = 1 - (own & guess).sum() / (own | guess).sum()
            total += errors[pixel] * (jaccard_loss - before)
            before = jaccard_loss
        lost.append(total)
        shares.append(weights[index])
    return np.average(lost, weights=shares)


BRUTE = {
    "cross-entropy": brute_cross_entropy,
    "ohem": brute_ohem,
    "dice": brute_dice,
    "jaccard": brute_jaccard,
    "focal": brute_focal,
    "lovasz": brute_lovasz,
}


@pytest.mark.parametrize(("name", "options"), SETTINGS)
@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (0.5, 2.0, 3.0)])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32), ignore_share=st.sampled_from([0.0, 0.3, 0.95]))
def test_a_loss_equals_brute_force_over_kept_pixels(name, options, weights, seed, ignore_share):
    logits, target = case(seed, ignore_share=ignore_share)
    got = loss_of(name, options, weights=weights)(torch.from_numpy(logits), torch.from_numpy(target))
    assert float(got) == pytest.approx(brute(name, options, logits, target, weights), rel=2e-5, abs=1e-6)


def test_every_row_of_the_table_has_its_brute_force():
    assert set(BRUTE) == set(LOSSES) == {name for name, _ in SETTINGS}


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_lovasz_of_a_sure_network_is_the_mean_loss_of_iou(seed):
    rng = np.random.default_rng(seed)
    guess, truth = rng.integers(0, 3, (1, 6, 7)), rng.integers(0, 3, (1, 6, 7))
    sure = torch.from_numpy(np.moveaxis(np.eye(3, dtype=np.float32)[guess] * 100, -1, 1))
    ious = [
        ((guess == index) & (truth == index)).sum() / ((guess == index) | (truth == index)).sum()
        for index in np.unique(truth)
    ]
    assert float(loss_of("lovasz", {})(sure, torch.from_numpy(truth))) == pytest.approx(1 - np.mean(ious), abs=1e-5)


def test_cross_entropy_equals_scikit_learn():
    from sklearn.metrics import log_loss

    logits, target = case(1)
    kept = target != IGNORE
    rows = softmax(np.moveaxis(logits, 1, -1)[kept].astype(np.float64))
    got = float(loss_of("cross-entropy", {})(torch.from_numpy(logits), torch.from_numpy(target)))
    assert got == pytest.approx(log_loss(target[kept], rows, labels=[0, 1, 2]), rel=1e-5)


def test_dice_by_hand():
    # two pixels, p(own) = 0.5 each, one of each class: I = 0.5, P = 1, T = 1, so 1 - 2 * 0.5 / 2 = 0.5
    logits, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[0, 1]]])
    assert float(loss_of("dice", {"smooth": 0.0}, weights=(1.0, 1.0))(logits, target)) == pytest.approx(0.5)


def test_jaccard_by_hand():
    # two pixels, p(own) = 0.5 each, one of each class: I = 0.5, P = 1, T = 1, so 1 - 0.5 / 1.5 = 2 / 3
    logits, target = torch.zeros(1, 2, 1, 2), torch.tensor([[[0, 1]]])
    assert float(loss_of("jaccard", {"smooth": 0.0}, weights=(1.0, 1.0))(logits, target)) == pytest.approx(2 / 3)


def test_a_weighted_sum_is_the_sum_of_its_terms():
    logits, target = (torch.from_numpy(part) for part in case(4))
    terms = tuple(
        LossTerm(name=name, weight=weight, options={}) for name, weight in (("cross-entropy", 0.5), ("dice", 2.0))
    )
    both = build_loss(LossPlan(terms=terms, class_weights=(1.0, 1.0, 1.0), auxiliary=0.0))(logits, target)
    alone = [float(loss_of(term.name, {})(logits, target)) * term.weight for term in terms]
    assert float(both) == pytest.approx(sum(alone), rel=1e-6)
