"""How the commands of plugins end."""

from __future__ import annotations

import pytest

from posewire.errors import EXIT_CODE, SettingsError
from posewire_training.command import command


@command
def halve(number: int) -> None:
    """The command."""
    if number % 2:
        raise SettingsError("Only even numbers.", got=number)
    print(number // 2)


def test_a_command_that_does_its_work_returns_nought(capsys: pytest.CaptureFixture[str]) -> None:
    assert halve(4) == 0
    assert capsys.readouterr() == ("2\n", "")


def test_a_deliberate_error_is_told_without_a_traceback_and_is_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert halve(number=3) == EXIT_CODE
    out, told = capsys.readouterr()
    assert out == "" and told.splitlines() == str(SettingsError("Only even numbers.", got=3)).splitlines()


def test_a_mistake_of_ours_is_not_swallowed() -> None:
    with pytest.raises(TypeError):
        halve("two")  # pyright: ignore[reportArgumentType]
