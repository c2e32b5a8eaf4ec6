"""TRC: one person's joint positions as markers, in metres, Y up, for OpenSim and its relatives. Absent frames are empty."""

from __future__ import annotations

from collections.abc import Iterator

from posewire.take.export.plain import number, numbers, one_word
from posewire.take.export.resample import constant_rate
from posewire.take.recording import Take


def trc_lines(take: Take, person: int) -> Iterator[str]:
    """The lines of a person's TRC file."""
    motion = constant_rate(take, person)
    names = [one_word(name) for name in motion.skeleton.names]
    positions_m = motion.positions_m()
    rate, frames = f"{1 / motion.interval_s:.6f}", len(positions_m)
    yield f"PathFileType\t4\t(X/Y/Z)\t{one_word(take.path.stem)}_person{person}.trc"
    yield "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames"
    yield f"{rate}\t{rate}\t{frames}\t{len(names)}\tm\t{rate}\t1\t{frames}"
    yield "Frame#\tTime\t" + "\t\t\t".join(names) + "\t\t"
    yield "\t\t" + "\t".join(f"{axis}{marker}" for marker in range(1, len(names) + 1) for axis in "XYZ")
    yield ""
    for frame, (time_s, present) in enumerate(zip(motion.time_s, motion.present, strict=True)):
        values = numbers(positions_m[frame].ravel()) if present else [""] * (3 * len(names))
        yield "\t".join([str(frame + 1), number(time_s), *values])
