"""`python -m posewire_vnect.between OLD.pt NEW.pt --shares 0.3,0.5 ...`: weights between those of a run and of the run it began.

A run that goes on learning from rendered people forgets some of the real ones. Weights part of the way from the old to the new
keep more of both than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models", eq. 1, with the share alpha). Each
share is judged on the crops that trainings keep for validation; one share with --out is written as a run would be.

    python -m posewire_vnect.between tuned/weights.pt longer/weights.pt --shots shots/train --real shots/real
        --shares 0.5 --out between
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from posewire.errors import SettingsError
from posewire_training import weights
from posewire_training.command import command, parser_of
from posewire_training.task import Scores
from posewire_vnect import build, export, shots
from posewire_vnect.fresh import FreshTask
from posewire_vnect.names import JOINTS
from posewire_vnect.network import VNect
from posewire_vnect.settings import VNectSettings
from posewire_vnect.train import METHOD, real_crops

States: TypeAlias = Mapping[str, Mapping[str, Tensor]]


def mixed(old: States, new: States, share: float) -> dict[str, dict[str, Tensor]]:
    """The weights `share` of the way from the old to the new; what is no floating point number is the new's."""
    return {
        part: {
            name: torch.lerp(value, new[part][name], share) if value.is_floating_point() else new[part][name]
            for name, value in state.items()
        }
        for part, state in old.items()
    }


def judged(net: VNect, settings: VNectSettings, rendered: Path, real: Path | None) -> Scores:
    """Scores on the crops that trainings keep; the network is left in eval mode."""
    crops = real_crops(settings, real, None)
    task = FreshTask(settings, net.trunk, net.head, shots.shards(rendered)[:2], crops, begun=True)
    net.eval()
    with torch.inference_mode():
        return task.validate()


def shares_of(text: str) -> list[float]:
    """Of --shares.

    Raises:
        SettingsError: one is no share.
    """
    try:
        shares = [float(word) for word in text.split(",")]
    except ValueError:
        shares = [-1.0]
    if not all(0.0 <= share <= 1.0 for share in shares):
        raise SettingsError("--shares are numbers from 0 (the old weights) to 1 (the new).", got=text, allowed="0.3,0.5,1")
    return shares


def run(old: Path, new: Path, shares: Sequence[float], rendered: Path, real: Path | None, out: Path | None) -> Table:
    """One row a share; with `out`, the last share's weights.pt and vnect.onnx lie there."""
    first, last = (weights.load(path, METHOD, JOINTS) for path in (old, new))
    settings = replace(VNectSettings.from_json(last.settings), device="cpu")
    net, table = build.network(settings), Table("share", box=None)
    for read in (first, last):
        read.load_into({"trunk": net.trunk, "head": net.head})  # says what does not fit
    for share in shares:
        states = mixed(first.states, last.states, share)
        net.trunk.load_state_dict(states["trunk"])
        net.head.load_state_dict(states["head"])
        scores = judged(net, settings, rendered, real)
        if not table.row_count:
            for name in scores:
                table.add_column(name)
        table.add_row(f"{share:g}", *(f"{value:.2f}" for value in scores.values()))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        weights.save(out / "weights.pt", METHOD, JOINTS, settings.to_json(), {"trunk": net.trunk, "head": net.head})
        export.export(net, out / "vnect.onnx", side=settings.side)
    return table


@command
def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = parser_of("posewire_vnect.between", __doc__)
    parser.add_argument("old", type=Path, metavar="OLD.pt")
    parser.add_argument("new", type=Path, metavar="NEW.pt")
    parser.add_argument("--shares", default="0,0.5,1", help="of the new weights, to judge (default 0,0.5,1)")
    parser.add_argument("--shots", type=Path, required=True, metavar="FOLDER", help="rendered crops of the trainings")
    parser.add_argument("--real", type=Path, metavar="FOLDER", help="real crops of the trainings")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="writes the weights of the one share")
    parser.add_argument("--threads", type=int, default=1)
    flags = parser.parse_args(arguments)
    shares = shares_of(flags.shares)
    if flags.out is not None and len(shares) != 1:
        raise SettingsError("--out writes one share.", got=flags.shares, allowed="--shares with one number")
    torch.set_num_threads(flags.threads)
    table = run(flags.old, flags.new, shares, flags.shots, flags.real, flags.out)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    sys.exit(main())
