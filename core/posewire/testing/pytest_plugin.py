"""The pytest plugin: opens the method of a conformance class, closes it, and prints how fast it was.

It is loaded by every pytest run of the user's environment: it imports nothing but pytest before a test needs it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from posewire.methods import Device, Estimator, Lifter, Method, MethodCard

    Opener = Callable[[int], Method]

_SPEEDS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds `--posewire-device`."""
    parser.getgroup("posewire").addoption(
        "--posewire-device", choices=("cpu", "gpu"), default="cpu", help="device on which conformance tests open a method"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Makes room for the speed report."""
    config.stash[_SPEEDS] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the speed report; a speed is never asserted."""
    if speeds := config.stash[_SPEEDS]:
        terminalreporter.section("posewire: speed")
        for line in speeds:
            terminalreporter.line(line)


@pytest.fixture(scope="class")
def posewire_card(request: pytest.FixtureRequest) -> MethodCard:
    """The card of the class attribute `method`."""
    from posewire import plugins

    conformance: Any = request.cls
    return plugins.load().method(conformance.method)


@pytest.fixture(scope="class")
def posewire_open(request: pytest.FixtureRequest, posewire_card: MethodCard) -> Iterator[Opener]:
    """Opens the method for a number of people; closes at the end whatever it opened."""
    from posewire import plugins
    from posewire.methods import MethodOptions

    device = cast("Device", request.config.getoption("--posewire-device"))
    opened: list[Method] = []

    def open_for(max_people: int) -> Method:
        opened.append(plugins.open_method(posewire_card, MethodOptions(device, max_people)))
        return opened[-1]

    yield open_for
    for method in opened:
        method.close()


@pytest.fixture(scope="class")
def posewire_opened(posewire_open: Opener) -> Method:
    """The method, opened once for all tests of a class that do not need a fresh one."""
    return posewire_open(1)


@pytest.fixture
def posewire_estimator(posewire_opened: Method) -> Estimator:
    """The estimator, every earlier frame forgotten."""
    estimator = cast("Estimator", posewire_opened)
    estimator.reset()
    return estimator


@pytest.fixture
def posewire_lifter(posewire_opened: Method) -> Lifter:
    """The lifter."""
    return cast("Lifter", posewire_opened)


@pytest.fixture
def posewire_speed(request: pytest.FixtureRequest, posewire_card: MethodCard) -> Callable[[str, list[float]], None]:
    """Adds a line to the speed report: what was timed, and the seconds of each call."""
    device: Any = request.config.getoption("--posewire-device")

    def report(workload: str, seconds: list[float]) -> None:
        median_ms = 1e3 * statistics.median(seconds)
        line = f"{posewire_card.name:24} {workload}: median {median_ms:.2f} ms of {len(seconds)} calls, {device}"
        request.config.stash[_SPEEDS].append(line)

    return report
