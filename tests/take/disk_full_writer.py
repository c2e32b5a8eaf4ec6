"""A process whose files may not grow beyond 64 KiB, so that its disk is full: prints the error and how often it came."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from take_samples import HEADER, dance

from posewire.errors import TakeError
from posewire.take import TakeWriter

resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, 64 << 10))
try:
    with TakeWriter(Path(sys.argv[1]), HEADER) as writer:
        for values in dance(600):
            writer.add(*values)
except TakeError as error:
    print(error)
