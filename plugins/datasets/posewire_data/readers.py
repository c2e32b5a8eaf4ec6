"""Every dataset by its name."""

from __future__ import annotations

from posewire_data import h36m, mpi_inf_3dhp, mupots, pw3d
from posewire_data.sequences import SequenceReader

READERS: dict[str, SequenceReader] = {
    "h36m": h36m.read_sequences,
    "mpi_inf_3dhp": mpi_inf_3dhp.read_sequences,
    "mupots": mupots.read_sequences,
    "3dpw": pw3d.read_sequences,
}
"""Name on the command line to its reader of sequences with pictures or 2D."""
