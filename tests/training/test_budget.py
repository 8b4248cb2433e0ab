"""The budget: progress by steps or by the clock."""

import pytest

from tessella.training.budget import Budget


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_without_a_time_limit_progress_depends_on_the_step_alone():
    clock = Clock()
    budget = Budget(steps=10, seconds=0, clock=clock)
    budget.begin()
    before = [budget.progress(step) for step in range(10)]
    clock.now += 1e6
    assert [budget.progress(step) for step in range(10)] == before == pytest.approx([0.05 + 0.1 * n for n in range(10)])
    assert not budget.is_over(9)
    assert budget.is_over(10)


def test_under_a_time_limit_the_clock_alone_drives_and_ends_the_run():
    clock = Clock()
    budget = Budget(steps=10, seconds=100, spent=20, clock=clock)
    budget.begin()
    assert budget.progress(0) == 0
    clock.now += 40
    assert budget.progress(3) == pytest.approx(0.5)
    assert not budget.is_over(10**6), "planned steps are an estimate: a quiet machine makes more"
    clock.now += 40
    assert budget.is_over(3)
    assert budget.elapsed() == pytest.approx(100)


def test_time_kept_back_for_the_last_checkpoint_ends_the_run_earlier():
    clock = Clock()
    budget = Budget(steps=10, seconds=100, clock=clock)
    budget.begin()
    budget.keep_back(5)
    clock.now += 95
    assert budget.is_over(1)
    budget.keep_back(50)
    clock.now -= 6
    assert not budget.is_over(1), "at most a tenth is kept back"


def test_one_step_is_made_even_when_planning_used_up_the_time():
    budget = Budget(steps=10, seconds=60, spent=61, clock=Clock())
    budget.begin()
    assert not budget.is_over(0)
    assert budget.progress(0) == 0
    assert budget.is_over(1)


def test_a_resumed_run_goes_on_where_it_was():
    clock = Clock()
    budget = Budget(steps=10, seconds=110, spent=60, started_at=10, clock=clock)
    budget.begin()
    assert budget.started_at == 10
    assert budget.progress(5) == pytest.approx(0.5)


def test_what_is_left_is_told_from_the_pace_or_from_the_clock():
    clock = Clock()
    paced = Budget(steps=10, seconds=0, spent=5, clock=clock)
    timed = Budget(steps=10, seconds=60, clock=clock)
    for budget in (paced, timed):
        budget.begin()
    clock.now += 20
    assert paced.remaining(0) == 0
    assert paced.remaining(4) == pytest.approx(30)
    assert timed.remaining(4) == pytest.approx(40)
    assert paced.expected_steps(4) == 10
    assert timed.expected_steps(4) == 12
