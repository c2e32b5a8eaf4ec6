"""Lets the fit's tests import the dense reference beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
