"""Steps in another order: nothing before what it reads, groups as large as they can be, nothing held too long."""

import numpy as np
import pytest

from bibun.compiler.ordering import Order, freed


class Step:
    def __init__(self, out, *slots):
        self.out, self.slots, self.done = out, slots, []

    def reads(self):
        return set(self.slots)

    def makes(self):
        return [self.out]


class Group(Step):
    def __init__(self, steps, read):
        made = {s.out for s in steps}
        super().__init__(-1, *({k for s in steps for k in s.slots} - made))
        self.steps, self.outs = steps, sorted(read)

    def makes(self):
        return self.outs


def ordered(steps, keys, late=None, kept=()):
    close = lambda inside, read: [Group([steps[i] for i in inside], read)]
    return Order(steps, keys, late or [set() for _ in steps], set(kept), close).made()


def test_what_stands_between_two_comes_before_both():
    steps = [Step(1, 0), Step(2, 0), Step(3, 1, 2)]
    plain, group = ordered(steps, ["a", None, "a"], kept=[3])
    assert plain is steps[1] and [s.out for s in group.steps] == [1, 3] and group.outs == [3]


def test_what_must_stand_between_two_parts_them():
    steps = [Step(1, 0), Step(2, 1), Step(3, 1, 2)]
    first, between, second = ordered(steps, ["a", None, "a"], kept=[3])
    assert first.outs == [1] and between is steps[1] and second.outs == [3]


def test_a_sum_is_there_when_all_of_its_group_has_run():
    steps = [Step(1, 0), Step(2, 1), Step(3, 1), Step(4, 2, 3)]
    first, second = ordered(steps, ["a"] * 4, [set(), {2}, set(), set()], kept=[4])
    assert [s.out for s in first.steps] == [1, 2, 3] and [s.out for s in second.steps] == [4]


@pytest.mark.parametrize("seed", range(30))
def test_every_step_runs_once_and_after_what_it_reads(seed):
    random = np.random.default_rng(seed)
    n = int(random.integers(2, 60))
    steps = [Step(k, *random.integers(0, k, random.integers(1, 4)).tolist()) for k in range(1, n)]
    keys = [None if random.random() < 0.3 else int(random.integers(3)) for _ in steps]
    late = [{s.out} if random.random() < 0.2 else set() for s in steps]
    kept = set(random.integers(0, n, 3).tolist())
    out = ordered(steps, keys, late, kept)
    known, seen = {0}, []
    for step in out:
        inside = step.steps if isinstance(step, Group) else [step]
        available = set(known)
        for s in inside:
            assert s.reads() <= available
            if not late[steps.index(s)]:
                available.add(s.out)
            seen.append(s.out)
        assert len({keys[steps.index(s)] for s in inside}) == 1
        known |= set(step.makes())
    assert sorted(seen) == [s.out for s in steps] and kept <= known | {0}
    freed(out, kept)
    gone = set()
    for step in out:
        assert not gone & step.reads()
        gone |= set(step.done)
    assert not gone & kept
