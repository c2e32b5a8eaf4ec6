"""Every command in README.md and docs/ is one that the real parsers take; every script and page that they name is there."""

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from posewire.cli.main import build_parser

REPOSITORY = Path(__file__).parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
_COMMAND = re.compile(r"(?:PYTHONPATH=\S+ )?(posewire|python -m posewire\w*[\w.]*|python \w[\w/]*\.py)(?= |$)")
_PLACEHOLDER = re.compile(r"[A-Z_]+")
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def commands_of(page):
    """(text, whole) of every command: whole lines of code, and spans between backticks, which may leave things out."""
    lines = [line.removeprefix("$ ").strip() for line in _code(page)]
    spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", page, flags=re.M | re.S))]
    for text, whole in [*((line, True) for line in lines), *((span, False) for span in spans)]:
        if _COMMAND.match(text):
            yield re.split(r"\s+#|\s{3,}", text)[0], whole


def _code(page):
    """Lines of indented and of fenced code; a backslash joins two."""
    joined = re.sub(r"\\\n\s*", "", page)
    fenced = "\n".join(re.findall(r"^```(?:console|sh|bash)?\n(.*?)^```$", joined, flags=re.M | re.S))
    outside = re.sub(r"^```.*?^```$", "", joined, flags=re.M | re.S)
    return [*fenced.splitlines(), *(line for line in outside.splitlines() if line.startswith("    "))]


def words_of(text):
    """The words after the program, without brackets and dots that stand for more."""
    plain = re.sub(r"[\[\]]", " ", text)
    return [word for word in shlex.split(_COMMAND.sub("", plain, count=1)) if word != "..."]


class ParsedError(Exception):
    """Thrown where a command would begin to work."""


@pytest.fixture
def parser_of(monkeypatch):
    """The parser behind a program's name; a training program's is found by starting it and stopping it there."""
    found = []

    def stop(parser, *_):
        found.append(parser)
        raise ParsedError

    def find(program):
        if program == "posewire":
            return build_parser()
        module = importlib.import_module(program.removeprefix("python -m "))
        if not hasattr(module, "main"):
            module = importlib.import_module(module.__name__ + ".commands")
        with monkeypatch.context() as patched, pytest.raises(ParsedError):
            patched.setattr(argparse.ArgumentParser, "parse_args", stop)
            patched.setattr(argparse.ArgumentParser, "parse_known_args", stop)
            module.main([])
        return found[-1]

    return find


def refusal(parser, words, whole):
    """What the parser has against the words, or None."""
    inner, known = parser, set(parser._option_string_actions)
    for word in words:
        choices = next((a.choices for a in inner._actions if isinstance(a, argparse._SubParsersAction)), {})
        if word in choices:
            inner = choices[word]
            known |= set(inner._option_string_actions)
        elif word.startswith("--") and word.partition("=")[0] not in known:
            return f"{word} is unknown"
    if not whole:
        return None
    values = [_filled(word, after) for word, after in zip(words, ["", *words], strict=False)]
    try:
        parser.exit_on_error = False
        parser.parse_args(values)
    except SystemExit:
        return "the parser refuses it"
    except argparse.ArgumentError as error:
        return str(error)
    return None


def _filled(word, after):
    """N and METRES behind a flag become a number, which any flag takes."""
    return "1" if after.startswith("--") and _PLACEHOLDER.fullmatch(word) else word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_documented_command_is_taken_by_its_parser(page, parser_of):
    text = page.read_text(encoding="utf-8")
    wrong = []
    for command, whole in commands_of(text):
        program = _COMMAND.match(command)[1]
        if program.endswith(".py"):
            if not (REPOSITORY / program.removeprefix("python ")).is_file():
                wrong.append(f"{command}: there is no such file")
            continue
        if program != "posewire" and not program.endswith(".pack"):
            pytest.importorskip("torch")
        if (problem := refusal(parser_of(program), words_of(command), whole and "..." not in command)) is not None:
            wrong.append(f"{command}: {problem}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_and_picture_that_is_linked_is_there(page):
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_a_wrong_flag_a_wrong_word_and_a_missing_file_would_be_found():
    parser = build_parser()
    assert refusal(parser, ["run", "0", "--fps", "3"], True) == "--fps is unknown"
    assert refusal(parser, ["run"], True) is not None
    assert refusal(parser, ["fly"], True) is not None
    assert refusal(parser, ["run", "clip.mp4", "--height", "M"], True) is None
    assert dict(commands_of("Text `posewire run\n--out x`.\n\n    posewire demo   # all\n")) == {
        "posewire run --out x": False,
        "posewire demo": True,
    }
