"""Documents whose code is installed and run use the same helper as the tests of the plugins."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "plugins"))
