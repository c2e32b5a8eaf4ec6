"""`python -m posewire_xnect.measure --pack synth.npz`: the exported files on rendered people whom training never saw.

Bodies, motions (CMU 13) and backgrounds are the pack's test split; "crowds" are four of the pictures in one, at half their size.
People are chosen as live (crowd.py), and once more with those of whom the live side is too unsure to tell. Both truth and answer
are of the universal height and in the axes of a camera that looks at the neck (export.py). A Stage I of scheme orpm is read
without a Stage II (orpm.py), unless --two names one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from posewire.runtime import Session, open_session
from posewire_data.joints import root_relative
from posewire_synth.dataset import Pictures
from posewire_training.command import command
from posewire_xnect import orpm, people, truth
from posewire_xnect.association import CANDIDATES
from posewire_xnect.crowd import Crowd, without_strays
from posewire_xnect.estimator import MODELS
from posewire_xnect.letterbox import Letterbox
from posewire_xnect.networks import StageOneNet, StageTwoNet, check_together
from posewire_xnect.orpm import Posing
from posewire_xnect.scores import Seen, score, table
from posewire_xnect.second_look import SecondLook
from posewire_xnect.targets import FloatArray
from posewire_xnect.truth import Scene

BATCH = 4


def scenes(pack: Path, pictures: int, seed: int = 0) -> Iterator[Scene]:
    """Four at a time."""
    for batch in Pictures(pack, "groups", batch=BATCH, split="test", seed=seed, count=-(-pictures // BATCH)):
        yield truth.scene_of(batch)


def looked_at(one: StageOneNet, posed: Posing, scene: Scene) -> list[tuple[Seen, Seen]]:
    """What the networks say of each picture of a scene: of whom the live side would tell, and of everybody."""
    seen: list[tuple[Seen, Seen]] = []
    for picture in range(len(scene.image)):
        found = one.look(scene.image[picture : picture + 1].numpy())
        frame = scene.image[picture].mul(255).round().byte().permute(1, 2, 0).numpy()
        size = (frame.shape[1], frame.shape[0])
        told = Crowd(CANDIDATES).choose(found, SecondLook(one, frame, Letterbox(size, size, size)))
        seen.append((beside_truth(*posed(told), scene, picture), beside_truth(*posed(without_strays(found)), scene, picture)))
    return seen


def posing(one: StageOneNet, two: str | None) -> Posing:
    """What reads poses behind a Stage I: ORPM's own way, or a Stage II.

    Raises:
        ModelError: the two do not belong together.
    """
    if one.scheme == "orpm" and two is None:
        return orpm.posed
    net = StageTwoNet(opened(two or MODELS[1]))
    check_together(one, net)
    return lambda found: (found, net.joints_m(found))


def opened(name: str) -> Session:
    """A bundled network or an ONNX file."""
    return open_session(Path(name) if name.endswith(".onnx") else name, threads=1)


def beside_truth(found: people.People, joints_m: FloatArray, scene: Scene, picture: int) -> Seen:
    """What was found in one picture, and who is there."""
    there = torch.isfinite(scene.points_px[picture]).all(-1).all(-1)
    true_px, true_m, visible = (value[picture][there].numpy() for value in (scene.points_px, scene.joints_m, scene.visible))
    return Seen(found.points_px, joints_m, true_px.astype(np.float64), root_relative(true_m.astype(np.float64)), visible)


def measure(pack: Path, one: str, two: str | None, pictures: int) -> str:
    """The table of groups and of crowds."""
    seen: dict[str, list[tuple[Seen, Seen]]] = {"groups": [], "crowds": []}
    first = StageOneNet(opened(one))
    posed = posing(first, two)
    for scene in scenes(pack, pictures):
        seen["groups"].extend(looked_at(first, posed, scene))
        seen["crowds"].extend(looked_at(first, posed, truth.crowd(scene)))
    choices = enumerate(("", ", the unsure too"))
    rows = [(name + which, score([one[n] for one in pairs])) for n, which in choices for name, pairs in seen.items()]
    told = ", ".join(f"{found.people} people in {found.pictures} {name}" for name, found in rows[:2])
    return f"{told}; per cent, MPJPE in mm, ghosts a picture\n{table(rows)}"


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m posewire_xnect.measure", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--one", default=MODELS[0], metavar="NETWORK", help="a bundled network or an ONNX file")
    parser.add_argument("--two", metavar="NETWORK", help=f"the same (default: {MODELS[1]}; none for a Stage I of scheme orpm)")
    parser.add_argument("--pictures", type=int, default=200)
    flags = parser.parse_args(arguments)
    torch.set_num_threads(1)
    print(measure(flags.pack, flags.one, flags.two, flags.pictures))


if __name__ == "__main__":
    sys.exit(main())
