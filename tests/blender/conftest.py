"""Makes the add-on's modules without Blender importable, as posewire_live.protocol and so on."""

from __future__ import annotations

import sys
from pathlib import Path

ADDON = Path(__file__).parents[2] / "blender_addon"
sys.path.insert(0, str(ADDON))
sys.path.insert(0, str(Path(__file__).parents[1] / "wire"))
sys.path.insert(0, str(Path(__file__).parents[1] / "take"))
