"""A process to kill: writes a take at 60 frames a second and prints each frame's number once `add` has returned.

Arguments: the take's path, and after how many frames to stand still (as a camera that vanished does).
"""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path

from take_samples import HEADER, instant

from posewire.take import TakeWriter

path, stand_still_after = Path(sys.argv[1]), int(sys.argv[2])
writer = TakeWriter(path, HEADER)
started_s = time.monotonic()
for number in count():
    if number >= stand_still_after:
        time.sleep(1000)
    writer.add(*instant(number, [1, 2], fps=60))
    print(number, flush=True)
    time.sleep(max(0.0, started_s + (number + 1) / 60 - time.monotonic()))
