from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace

import pytest

from wattkeeper.base.core.errors import BusyError
from wattkeeper.flow.store import group_commit
from wattkeeper.flow.store.group_commit import GroupCommit, Steps, StoppingError


class Disk:
    """Doubles what it is given; holds its breath while `open` is not set."""

    def __init__(self) -> None:
        self.flushes: list[list[int]] = []
        self.failed: list[int] = []
        self.open = threading.Event()
        self.entered = threading.Event()
        self.open.set()

    def write(self, items: Sequence[int]) -> list[int]:
        self.entered.set()
        assert self.open.wait(10)
        self.flushes.append(list(items))
        if 666 in items:
            raise OSError("No luck")
        return list(items)

    def follow(self, written: list[int]) -> list[int]:
        if 777 in written:
            raise OSError("No luck later")
        return [2 * item for item in written]

    def commit(self) -> GroupCommit[int, list[int], int]:
        def nothing() -> None:
            """Opens and closes nothing."""

        return GroupCommit("numbers", Steps(self.write, self.follow, self.failed.append, nothing, nothing))


def submit(commit: GroupCommit[int, list[int], int], number: int) -> Future[Sequence[int]]:
    """One that came alone."""
    return commit.submit([number])


def result(future: Future[Sequence[int]], seconds: float = 10) -> int:
    (found,) = future.result(seconds)
    return found


@contextmanager
def started(disk: Disk) -> Iterator[GroupCommit[int, list[int], int]]:
    commit = disk.commit()
    commit.start()
    try:
        yield commit
    finally:
        disk.open.set()
        commit.stop()


def test_what_comes_during_a_flush_goes_into_the_next_one_together() -> None:
    disk = Disk()
    disk.open.clear()
    with started(disk) as commit:
        first = submit(commit, 1)
        assert disk.entered.wait(10)
        others = [submit(commit, number) for number in range(2, 50)]
        disk.open.set()
        assert [result(first), *(result(future) for future in others)] == [2 * n for n in range(1, 50)]
    assert disk.flushes == [[1], list(range(2, 50))]


def test_nobody_hears_anything_before_the_flush_is_over() -> None:
    disk = Disk()
    disk.open.clear()
    with started(disk) as commit:
        future = submit(commit, 1)
        assert disk.entered.wait(10)
        assert not future.done()
        disk.open.set()
        assert result(future) == 2


def test_a_flush_that_fails_fails_its_own_items_and_no_others() -> None:
    disk = Disk()
    with started(disk) as commit:
        with pytest.raises(OSError, match="No luck"):
            result(submit(commit, 666))
        with pytest.raises(OSError, match="No luck later"):
            result(submit(commit, 777))
        assert result(submit(commit, 4)) == 8
    assert disk.failed == [1, 1]


def test_one_batch_is_written_while_another_is_followed_up() -> None:
    followed, go_on = threading.Event(), threading.Event()
    disk = Disk()
    commit = disk.commit()

    def slow(written: list[int]) -> list[int]:
        followed.set()
        assert go_on.wait(10)
        return written

    commit._steps = replace(commit._steps, follow=slow)
    commit.start()
    first = submit(commit, 1)
    assert followed.wait(10)
    second = submit(commit, 2)
    for _ in range(1_000):
        if len(disk.flushes) == 2:
            break
        threading.Event().wait(0.01)
    assert disk.flushes == [[1], [2]]
    assert not first.done()
    assert not second.done()
    go_on.set()
    assert (result(first), result(second)) == (1, 2)
    commit.stop()


def test_past_the_bound_a_caller_hears_busy_and_what_waits_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "QUEUE_ROWS", 3)
    disk = Disk()
    disk.open.clear()
    with started(disk) as commit:
        futures = [submit(commit, 1)]
        assert disk.entered.wait(10)
        futures += [submit(commit, number) for number in (2, 3, 4)]
        with pytest.raises(BusyError) as refusal:
            submit(commit, 5)
        assert refusal.value.retry_after_seconds == 1
        disk.open.set()
        assert [result(future) for future in futures] == [2, 4, 6, 8]


def test_a_stop_flushes_what_waits_and_turns_away_what_comes_later() -> None:
    disk = Disk()
    disk.open.clear()
    commit = disk.commit()
    commit.start()
    futures = [submit(commit, number) for number in range(5)]
    stopping = threading.Thread(target=commit.stop)
    stopping.start()
    disk.open.set()
    stopping.join(10)
    assert not stopping.is_alive()
    assert [result(future, 0) for future in futures] == [0, 2, 4, 6, 8]
    with pytest.raises(StoppingError):
        submit(commit, 6)


def test_a_flush_takes_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "FLUSH_ROWS", 4)
    disk = Disk()
    disk.open.clear()
    with started(disk) as commit:
        futures = [submit(commit, number) for number in range(10)]
        disk.open.set()
        assert [result(future) for future in futures] == [2 * number for number in range(10)]
    assert max(map(len, disk.flushes)) == 4


def test_without_its_thread_every_item_is_a_flush_of_its_own() -> None:
    disk = Disk()
    commit = disk.commit()
    assert [result(submit(commit, number), 0) for number in (1, 2)] == [2, 4]
    assert disk.flushes == [[1], [2]]


def test_what_came_together_is_taken_together_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_commit, "QUEUE_ROWS", 5)
    disk = Disk()
    disk.open.clear()
    with started(disk) as commit:
        first = submit(commit, 1)
        assert disk.entered.wait(10)
        taken = [commit.submit([2, 3, 4])]
        with pytest.raises(BusyError):
            commit.submit([5, 6, 7])
        with pytest.raises(BusyError):
            commit.submit(range(6))
        taken.append(commit.submit([8, 9]))  # there is room for two, and none of the three took it
        disk.open.set()
        assert [[*future.result(10)] for future in (first, *taken)] == [[2], [4, 6, 8], [16, 18]]
    assert sorted(itertools.chain(*disk.flushes)) == [1, 2, 3, 4, 8, 9]


def test_what_came_together_is_one_flush_until_there_are_threads() -> None:
    disk = Disk()
    assert [*disk.commit().submit([1, 2]).result(0)] == [2, 4]
    assert disk.flushes == [[1, 2]]


def test_what_comes_together_after_a_stop_is_turned_away() -> None:
    for is_started in (True, False):
        commit = Disk().commit()
        if is_started:
            commit.start()
        commit.stop()
        with pytest.raises(StoppingError):
            commit.submit([1, 2])


def test_what_came_together_is_flushed_together_and_has_its_results_in_its_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(group_commit, "FLUSH_ROWS", 4)
    disk = Disk()
    disk.open.clear()
    with started(disk) as commit:
        first = submit(commit, 0)
        assert disk.entered.wait(10)
        others = [commit.submit(items) for items in ([1, 2, 3], [4, 5, 6], [7])]
        disk.open.set()
        assert [*first.result(10)] == [0]
        assert [[*future.result(10)] for future in others] == [[2, 4, 6], [8, 10, 12], [14]]
    assert disk.flushes == [[0], [1, 2, 3, 4, 5, 6], [7]]
