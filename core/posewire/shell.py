"""Commands as a person types them: hints and remarks are there to be copied."""

from __future__ import annotations

import os
import shlex
import subprocess


def typed(*words: object) -> str:
    """A command line; a path with spaces or brackets stands in quotes, as this system's shell wants them."""
    texts = [str(word) for word in words]
    return subprocess.list2cmdline(texts) if os.name == "nt" else shlex.join(texts)


def typed_mkdir(folder: object) -> str:
    """What makes a folder, and those above it."""
    return typed("mkdir", folder) if os.name == "nt" else typed("mkdir", "-p", folder)
