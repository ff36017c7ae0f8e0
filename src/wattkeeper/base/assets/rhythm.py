"""How often a thing is usually heard of, learnt from its signs of life as they come. Pure."""

from __future__ import annotations

LEARNING_READINGS = 10  # before that many, nobody knows
# What is usual is about the longest of the recent gaps: a thing that sends ten readings in a burst and then rests for
# its ten minutes is silent when it has rested for three times ten minutes, not for three times the gap in a burst.
_MOST_UP = 2.0  # an outage, however long, no more than doubles it
_DOWN = 0.99  # with each gap that is shorter


def usual_interval_next(usual: float | None, count: int, gap: float | None) -> float | None:
    """Seconds, after one more `gap` (seconds; None: it was the first sign of life); `count` came before."""
    if gap is None or gap <= 0:  # several at one moment, or a clock set back: they say nothing
        return usual
    if usual is None or count < LEARNING_READINGS:
        return max(gap, usual or 0.0)
    return min(gap, usual * _MOST_UP) if gap > usual else max(gap, usual * _DOWN)
