"""How far each stream has been judged, so that what a crash left unjudged is found."""

from __future__ import annotations

from wattkeeper.flow.rules.models import JudgedMark


def mark_begin(stream: str, newest: int) -> None:
    """A stream without a mark begins at `newest`: what came before there was any judging is not judged."""
    JudgedMark.objects.get_or_create(stream=stream, defaults={"arrival": newest})


def mark_of(stream: str) -> int:
    """The arrival number of the newest reading that has been judged; 0 where there is no mark."""
    return JudgedMark.objects.filter(stream=stream).values_list("arrival", flat=True).first() or 0


def mark_advance(stream: str, arrival: int) -> None:
    """Everything up to `arrival` is judged with the commit of the caller's transaction."""
    moved = JudgedMark.objects.filter(stream=stream).update(arrival=arrival)
    if not moved:
        JudgedMark.objects.create(stream=stream, arrival=arrival)
