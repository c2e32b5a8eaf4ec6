"""How the commands of plugins end."""

from __future__ import annotations

import pytest

from posewire.errors import EXIT_CODE, SettingsError
from posewire_training.command import at_least_one, command, parser_of


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


@pytest.mark.parametrize("text", ["0", "-3", "many"])
def test_a_flag_that_counts_takes_one_and_more(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = parser_of("posewire_training.example", "Does nothing.")
    parser.add_argument("--count", type=at_least_one)
    assert parser.parse_args(["--count", "2"]).count == 2
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--count", text])
    assert "--count" in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_swallowed() -> None:
    with pytest.raises(TypeError):
        halve("two")  # pyright: ignore[reportArgumentType]
