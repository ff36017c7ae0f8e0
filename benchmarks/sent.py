"""How long requests took that were sent by `tests.support.load`, and how many were not answered well."""

from __future__ import annotations

from collections.abc import Iterator

from tests.support.load import Sent

from benchmarks.report import Figure


def _spread(sent: Sent) -> str:
    return f"p50 {sent.quantile(0.5) * 1e3:.0f} ms, p99 {sent.quantile(0.99) * 1e3:.0f} ms"


def answer_figures(
    ours: Sent, theirs: Sent | None = None, *, good: int, what: str = "each", p99: float = 0.0
) -> Iterator[Figure]:
    """`theirs`: the peer's. `good`: the status that counts. `p99`: in seconds, 0 where nothing is promised."""
    limit = f"p99 {p99 * 1e3:.0f} ms" if p99 else ""
    yield Figure(
        f"  how long {what} took",
        _spread(ours),
        _spread(theirs) if theirs else "",
        limit,
        ours.quantile(0.99) < p99 if p99 else None,
    )
    bad = _bad(ours)
    yield Figure(f"  answers that were no {good}", f"{bad}", f"{_bad(theirs)}" if theirs else "", "0", bad == 0)


def _bad(sent: Sent) -> int:
    return sent.answers.total() - len(sent.latencies)
