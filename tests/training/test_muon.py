import torch
from torch import nn

from tessella.core.classes import ClassTable
from tessella.recipe.starter import starter_plan
from tessella.training.muon import Muon, orthogonalise
from tessella.training.optim import build_optimiser


def muon_plan(**changes: object):
    plan = starter_plan(ClassTable.from_names(["a", "b"])).optimiser
    return plan.model_copy(update={"name": "muon", "muon_rate": 0.05, **changes})


def test_singular_values_come_out_near_one_and_directions_stay() -> None:
    torch.manual_seed(0)
    for shape in ((32, 288), (48, 16)):
        matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -1, shape[1]))
        u, _, vh = torch.linalg.svd(matrix, full_matrices=False)
        found = orthogonalise(matrix)
        values = torch.linalg.svdvals(found)
        assert values.max() < 1.35
        assert values.median() > 0.6
        # the exact answer is U V^T: the same directions, so a large inner product with it
        assert torch.sum(found * (u @ vh)) / found.norm() / (u @ vh).norm() > 0.9


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 2, 1)
    ).to(memory_format=torch.channels_last)


def test_convolutions_before_a_norm_keep_their_norm_and_all_else_is_left_to_adamw() -> None:
    net = network()
    optimiser = build_optimiser(net, muon_plan())
    assert isinstance(optimiser, Muon)
    bank = [group for group in optimiser.param_groups if group["orthogonal"]]
    assert [id(p) for group in bank for p in group["params"]] == [id(net[0].weight)]
    assert sum(len(group["params"]) for group in optimiser.param_groups) == len(list(net.parameters()))
    before = [parameter.detach().clone() for parameter in net.parameters()]
    for group in optimiser.param_groups:
        group["lr"] = 3e-3 * group["factor"]
    net(torch.randn(4, 3, 8, 8)).square().mean().backward()
    optimiser.step()
    assert all(not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    # the norm was sqrt(out) before the step, and the step adds about 5 % of it
    assert 3.6 < net[0].weight.detach().norm().item() < 4.4


def test_a_convolution_with_more_filters_than_inputs_is_trained_too() -> None:
    bank = nn.Conv2d(4, 32, 1, bias=False)
    optimiser = build_optimiser(nn.Sequential(bank, nn.BatchNorm2d(32)), muon_plan())
    for group in optimiser.param_groups:
        group["lr"] = 3e-3 * group["factor"]
    before = bank.weight.detach().clone()
    bank(torch.randn(2, 4, 5, 5)).square().mean().backward()
    optimiser.step()
    assert not torch.equal(before, bank.weight)


def test_the_other_weights_move_exactly_as_adamw_moves_them() -> None:
    ours, theirs = network(), network()
    plan = muon_plan()
    optimiser = build_optimiser(ours, plan)
    head = [*theirs[1].parameters(), *theirs[3].parameters()]
    groups = [
        {"params": [p for p in head if p.ndim > 1], "weight_decay": plan.weight_decay},
        {"params": [p for p in head if p.ndim <= 1], "weight_decay": 0.0},
    ]
    adamw = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(plan.momentum, plan.beta2), fused=True)
    for group in optimiser.param_groups:
        group["lr"] = plan.learning_rate * group["factor"]
    x = torch.randn(4, 3, 8, 8)
    for net, step in ((ours, optimiser), (theirs, adamw)):
        net(x).square().mean().backward()
        step.step()
    assert torch.equal(ours[3].weight, theirs[3].weight)
    assert torch.equal(ours[1].bias, theirs[1].bias)


def test_muon_learns_a_small_problem() -> None:
    net = network()
    optimiser = build_optimiser(net, muon_plan())
    for group in optimiser.param_groups:
        group["lr"] = 3e-3 * group["factor"]
    x = torch.randn(8, 3, 12, 12)
    y = (x.mean(dim=1) > 0).long()
    losses = []
    for _ in range(40):
        loss = nn.functional.cross_entropy(net(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_step_whose_gradients_overflow_is_skipped_whole() -> None:
    net = network()
    optimiser = build_optimiser(net, muon_plan())
    scaler = torch.amp.GradScaler("cpu")
    before = [parameter.detach().clone() for parameter in net.parameters()]
    scaler.scale(net(torch.randn(4, 3, 8, 8)).square().mean()).backward()
    net[0].weight.grad[0, 0, 0, 0] = float("inf")
    scaler.step(optimiser)
    scaler.update()
    assert all(torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True))
    assert scaler.get_scale() < torch.amp.GradScaler("cpu").get_scale()
    optimiser.zero_grad()
    scaler.scale(net(torch.randn(4, 3, 8, 8)).square().mean()).backward()
    scaler.step(optimiser)
    assert not torch.equal(before[0], net[0].weight)
