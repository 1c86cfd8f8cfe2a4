"""Which server gets which job: groups, retries, servers that are gone."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from manyshot.driver.dispatch import Dispatch
from manyshot.driver.job import Failure, Job
from manyshot.driver.ledger import Ledger
from manyshot.driver.recipe import Retries


class Clock:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def job(number: int, group: str) -> Job:
    return Job(f"{number:032x}", "cat", 0, number, "", "", number, group)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def dispatch_of(tmp_path, clock):
    opened = []

    def make(groups: str, retries: Retries | None = None) -> Dispatch:
        ledger = Ledger(tmp_path)
        opened.append(ledger)
        list(ledger.read_plan([job(n, group) for n, group in enumerate(groups)]))
        ledger.take_plan("f")
        return Dispatch(ledger, retries or Retries(), clock)

    yield make
    for ledger in opened:
        ledger.close()


def take(dispatch: Dispatch, server: str) -> Job:
    taken = dispatch.take(server, 0)
    assert taken is not None
    return taken


def test_a_server_stays_with_a_group_until_it_is_used_up(dispatch_of):
    dispatch = dispatch_of("abababab")
    groups = "".join(take(dispatch, "one").group for _ in range(8))
    assert groups in ("aaaabbbb", "bbbbaaaa")


def test_two_servers_take_different_groups_then_share_the_last(dispatch_of):
    dispatch = dispatch_of("abababab")
    taken = [take(dispatch, server).group for server in ["one", "two"] * 3]
    assert len(set(taken[::2])) == len(set(taken[1::2])) == 1
    assert set(taken) == {"a", "b"}
    rest = [take(dispatch, "one") for _ in range(2)]
    assert {one.group for one in rest} == {"a", "b"}


def test_a_failed_job_goes_elsewhere_when_there_is_an_elsewhere(dispatch_of, clock):
    dispatch = dispatch_of("aaa")
    failed, other = take(dispatch, "one"), take(dispatch, "two")
    assert dispatch.give_back(failed, "one", Failure("connection", ""))
    clock.now += 10
    assert take(dispatch, "one") != failed
    assert take(dispatch, "two") == failed
    assert other != failed


def test_alone_a_server_gets_its_failed_job_again_after_a_pause(dispatch_of, clock):
    dispatch = dispatch_of("a")
    failed = take(dispatch, "one")
    dispatch.give_back(failed, "one", Failure("memory", ""))
    assert dispatch.take("one", 0) is None
    assert not dispatch.is_over()
    clock.now += 5
    assert take(dispatch, "one") == failed


def test_a_released_server_is_no_elsewhere(dispatch_of, clock):
    dispatch = dispatch_of("aa")
    failed, _ = take(dispatch, "one"), take(dispatch, "two")
    dispatch.release("two")
    dispatch.give_back(failed, "one", Failure("connection", ""))
    clock.now += 1
    assert take(dispatch, "one") == failed


@pytest.mark.parametrize(
    ("kind", "tries"),
    [("connection", 4), ("memory", 3), ("node", 2), ("stalled", 1), ("invalid", 1)],
)
def test_tries_are_counted_by_kind(dispatch_of, clock, kind, tries):
    dispatch = dispatch_of("a", Retries(connection=3, memory=2, node=1, stalled=0))
    count = 1
    while dispatch.give_back(take(dispatch, "one"), "one", Failure(kind, "")):
        clock.now += 10
        count += 1
    assert count == tries
    assert dispatch.is_over()


def test_a_job_that_was_not_tried_costs_no_try(dispatch_of):
    dispatch = dispatch_of("a", Retries(node=0))
    for _ in range(5):
        dispatch.put_back(take(dispatch, "one"))
    assert not dispatch.is_over()


def test_over_only_when_nothing_is_out(dispatch_of):
    dispatch = dispatch_of("a")
    taken = take(dispatch, "one")
    assert not dispatch.is_over()
    dispatch.finish(taken)
    assert dispatch.is_over()
    assert dispatch.take("one", 60) is None


def test_stop_ends_it_at_once(dispatch_of):
    dispatch = dispatch_of("aa")
    dispatch.stop()
    assert dispatch.is_over()
    assert dispatch.take("one", 60) is None


@settings(max_examples=60, deadline=None)
@given(
    groups=st.text("abcd", min_size=1, max_size=60),
    choices=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=400, max_size=400),
)
def test_whatever_happens_every_job_ends_once(tmp_path_factory, groups, choices):
    """Any order of takes by three servers, with failures in between, ends each job exactly once."""
    clock, ended = Clock(), Counter()
    ledger = Ledger(tmp_path_factory.mktemp("l"))
    list(ledger.read_plan([job(n, group) for n, group in enumerate(groups)]))
    ledger.take_plan("f")
    dispatch = Dispatch(ledger, Retries(node=1, connection=1), clock)
    for server, luck in choices:
        clock.now += 1
        taken = dispatch.take(str(server), 0)
        if taken is None:
            continue
        failure = Failure("node" if luck % 2 else "connection", "")
        if luck > 7 and dispatch.give_back(taken, str(server), failure):
            continue
        if luck <= 7:
            dispatch.finish(taken)
        ended[taken.id] += 1
    while not dispatch.is_over():
        clock.now += 10
        taken = next(t for s in "012" if (t := dispatch.take(s, 0)))
        dispatch.finish(taken)
        ended[taken.id] += 1
    ledger.close()
    assert ended == Counter(job(n, "").id for n in range(len(groups)))
