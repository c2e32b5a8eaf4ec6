"""What is there to be copied into a shell arrives there word for word."""

import shlex

import pytest

from posewire import shell

WORDS = ["posewire", "export", "my walk [1].pwt", "o/人's.bvh", "plain.npz"]


def test_a_shell_reads_the_words_that_were_meant(monkeypatch):
    monkeypatch.setattr(shell.os, "name", "posix")
    assert shlex.split(shell.typed(*WORDS)) == WORDS


@pytest.mark.parametrize(("word", "said"), [("plain.npz", "plain.npz"), (r"C:\My Takes\a.pwt", r'"C:\My Takes\a.pwt"')])
def test_windows_wants_double_quotes(monkeypatch, word, said):
    monkeypatch.setattr(shell.os, "name", "nt")
    assert shell.typed(word) == said


def test_a_folder_with_a_space_is_one_folder(monkeypatch):
    monkeypatch.setattr(shell.os, "name", "posix")
    assert shlex.split(shell.typed_mkdir("my walks/a b")) == ["mkdir", "-p", "my walks/a b"]
    monkeypatch.setattr(shell.os, "name", "nt")
    assert shell.typed_mkdir(r"C:\My Takes") == r'mkdir "C:\My Takes"'
