"""SelecSLS's training from files: what it begins from, and the weights that come of it."""

from __future__ import annotations

from pathlib import Path

from posewire.errors import ModelError
from posewire_data.joints import JOINTS
from posewire_training import loop, weights
from posewire_xnect.frames import frames_of
from posewire_xnect.stage_one import StageOne
from posewire_xnect.whole_task import WholeRun, WholeTask

SELECSLS = "xnect-selecsls"
"""What its weights files call themselves."""


def train(
    settings: WholeRun,
    pack: Path,
    out: Path,
    real: Path | None = None,
    kept: Path | None = None,
    start: Path | None = None,
    *,
    quiet: bool = False,
) -> Path:
    """Trains SelecSLS and both branches; returns the weights file.

    Args:
        settings: Of the run.
        pack: Of which pictures are rendered.
        out: Where everything goes.
        real: Labelled frames of films, learned from besides.
        kept: Those of other films, to choose by.
        start: Weights of an earlier run of the same network, to begin from.
        quiet: Shows no progress.
    """
    loop.set_up(settings)
    net = settings.network()
    if start is not None:
        begin_from(net, settings, start)
    trained = loop.train(WholeTask(settings, net, pack, real=frames_of(real, kept)), settings, out, quiet=quiet)
    weights.save(out / "weights.pt", SELECSLS, JOINTS, settings.to_json(), trained)
    return out / "weights.pt"


def begin_from(net: StageOne, settings: WholeRun, start: Path) -> None:
    """Gives the network the weights of an earlier run.

    Raises:
        ModelError: they are of another SelecSLS. Shapes do not always tell: skips that come from elsewhere may be as wide.
    """
    content = weights.load(start, SELECSLS, JOINTS)
    was = WholeRun.from_json(content.settings)
    told = [" ".join(f"--{name} {getattr(one, name)}" for name in ("module", "skip", "outputs")) for one in (was, settings)]
    if told[0] != told[1]:
        raise ModelError(f"{start} holds weights of another SelecSLS.", got=told[0], allowed=told[1], hint=f"type {told[0]}")
    content.load_into({"net": net})


def net_of(one: Path) -> tuple[StageOne, WholeRun]:
    """A trained Stage I on SelecSLS, in eval mode, and how it was trained."""
    content = weights.load(one, SELECSLS, JOINTS)
    settings = WholeRun.from_json(content.settings)
    net = settings.network()
    content.load_into({"net": net})
    return net.eval(), settings
