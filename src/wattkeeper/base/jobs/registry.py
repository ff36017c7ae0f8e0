"""The jobs and periodic functions that this installation knows. Filled once, at start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from wattkeeper.base.jobs.handle import RunHandle as RunHandle

Job = Callable[[RunHandle], dict[str, Any]]
PeriodicFunction = Callable[[], object]
F = TypeVar("F", bound=PeriodicFunction)


@dataclass(frozen=True, slots=True)
class Periodic:
    name: str
    minutes: int
    function: PeriodicFunction


_jobs: dict[str, Job] = {}
_periodics: dict[str, Periodic] = {}


def job(name: str) -> Callable[[Job], Job]:
    """Register the function as the job `name`; ValueError if the name is taken.

    It gets the run's handle and returns the outcome. It is idempotent: after a crash it runs again.
    """

    def register(function: Job) -> Job:
        if name in _jobs:
            raise ValueError(f"The job {name} is registered twice")
        _jobs[name] = function
        return function

    return register


def periodic(*, minutes: int) -> Callable[[F], F]:
    """Have a running server call the function at its start and then every so many minutes."""

    def register(function: F) -> F:
        name = f"{function.__module__}.{function.__qualname__}"
        if name in _periodics:
            raise ValueError(f"The periodic function {name} is registered twice")
        _periodics[name] = Periodic(name, minutes, function)
        return function

    return register


def job_function(name: str) -> Job:
    """The job of that name; KeyError if there is none."""
    return _jobs[name]


def periodics() -> tuple[Periodic, ...]:
    return tuple(_periodics.values())
