"""What the tests of this folder share."""

from pathlib import Path

TINY = Path(__file__).parent / "tiny_pack.npz"
"""Made by make_tiny_pack.py."""
SIDE_PX = 64
