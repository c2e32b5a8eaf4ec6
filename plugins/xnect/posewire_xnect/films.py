"""Which film a file of training pictures is of, and how it was made: its name says both, so that nothing is made twice."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from torch import nn

from posewire_training.origin import digest


@dataclass(frozen=True, slots=True)
class Mark:
    """Of the files that one command makes of one film."""

    film: str
    """Its name and what is in it."""
    told: str
    """How they are made."""

    @classmethod
    def of(cls, video: Path, *told: object) -> Self:
        """Of a film and of whatever else decides what is made of it.

        Raises:
            SourceError: the film cannot be read.
        """
        name = re.sub(r"\W+", "_", video.stem)
        return cls(f"{name}-{digest(video)}", hashlib.sha256(repr(told).encode()).hexdigest()[:8])

    def file_name(self, kind: str, ending: str) -> str:
        """Such as album_walking_side-0123abcd-89ef4567.npz."""
        return f"{kind}_{self.film}-{self.told}{ending}"

    def forget_others(self, folder: Path, kind: str) -> None:
        """Removes what was made of this film otherwise: the same people twice would count twice."""
        for path in folder.glob(f"{kind}_{self.film}-*"):
            if not path.name.startswith(f"{kind}_{self.film}-{self.told}"):
                path.unlink()


def digest_of(net: nn.Module) -> str:
    """Eight letters of a network's weights."""
    told = hashlib.sha256()
    for value in net.state_dict().values():
        told.update(value.cpu().numpy().tobytes())
    return told.hexdigest()[:8]
