"""Counts that were asked before, for as long as nothing was written that could change them."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from wattkeeper.flow.store.queries import Selection

MOST = 1024


class CountMemory:
    """Every page of a list shows how many rows there are in all, which costs more to find than the page.

    Only for the embedded engine: to a server others may write, too. Whatever writes must do so within
    `changing`, else readers see a count that is no longer true.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changing: Counter[int] = Counter()
        self._changes: Counter[int] = Counter()
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    @contextmanager
    def changing(self, asset_ids: Sequence[int]) -> Iterator[None]:
        """Rows of these assets come or go until the block ends, by whatever way it ends."""
        ids = set(asset_ids)
        with self._lock:
            self._changing.update(ids)
        try:
            yield
        finally:
            with self._lock:
                self._changes.update(ids)
                self._changing.subtract(ids)
                self._changing += Counter()  # drops the zeros

    def count(self, selection: Selection, ask: Callable[[Selection], int]) -> int:
        """The count of `selection`, from memory or else from `ask`."""
        question, before = selection.sql(), self._state_of(selection.asset_ids)
        with self._lock:
            state, count = self._counts.get(question, (None, 0))
        if before is not None and state == before:
            return count
        count = ask(selection)
        if before is not None and before == self._state_of(selection.asset_ids):
            with self._lock:
                self._counts[question] = (before, count)
                self._counts.move_to_end(question)
                if len(self._counts) > MOST:
                    self._counts.popitem(last=False)
        return count

    def _state_of(self, asset_ids: Sequence[int] | None) -> int | None:
        """A number that only rises with the changes to these assets (None: to all); None in the middle of one."""
        with self._lock:
            if asset_ids is None:
                return None if self._changing else self._changes.total()
            ids = set(asset_ids)
            return None if ids & self._changing.keys() else sum(self._changes[asset_id] for asset_id in ids)
