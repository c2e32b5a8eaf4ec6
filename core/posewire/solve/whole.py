"""The whole solve: read a take, solve each person, stand them on the floor, write a new take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from posewire.errors import TakeError
from posewire.lift import LiftStage
from posewire.solve.both_ways import RUNS
from posewire.solve.grounding import Grounding, grounded
from posewire.solve.person import SolvedPerson, settle_people, smooth_person
from posewire.solve.reading import Recorded, check_solvable, read
from posewire.solve.settings import OFFLINE_FIT, SolveSettings
from posewire.solve.settling import check_device
from posewire.take import Take, TakeFrame, TakeHeader, TakeWriter
from posewire.take.new_file import check_target

Progress = Callable[[int, int], None]
"""Told how many fits are done and how many there are."""


@dataclass(frozen=True, slots=True)
class SolveReport:
    """What a solve did."""

    path: Path
    frames: int
    frames_without_camera: int
    """Damaged frames that the new take leaves out."""
    poses: Mapping[int, int]
    """Person id to the number of poses."""
    stretches: Mapping[int, int]
    """Person id to the number of stretches without a gap or cut."""
    ground: Grounding | None
    """None = not asked for."""


def solve_take(
    take: Take,
    out: Path,
    settings: SolveSettings | None = None,
    *,
    lift: LiftStage | None = None,
    lifter: str | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> SolveReport:
    """Solves a take into the new file `out`.

    Args:
        take: The recording; its file stays as it is.
        out: The new take.
        settings: What to do otherwise than when it was recorded.
        lift: Another lifter's stage for the take's keypoints; the caller closes it. None = the recorded 3D.
        lifter: Its name, for the new take's header.
        overwrite: Replace an existing file.
        progress: Told after every fitted frame.

    Raises:
        TakeError: the take has no keypoints, `out` is the take itself, exists or cannot be written.
        DeviceError: the device that is asked for is not there.
    """
    settings = settings or SolveSettings()
    check_device(settings.device)
    check_files(take.path, out, overwrite=overwrite)
    check_solvable(take)
    recorded = read(take, settings, lift)
    solved = _solve_people(recorded, take, settings, progress)
    frames = [_with_poses(number, frame, solved) for number, frame in enumerate(recorded.frames)]
    frames, ground = grounded(frames) if settings.ground == "auto" else (frames, None)
    with TakeWriter(out, _header(take, settings, lifter, ground), overwrite=overwrite) as writer:
        for frame in frames:
            writer.add_frame(frame)
    poses, stretches = ({i: count(person) for i, person in solved.items()} for count in (_poses, _stretches))
    return SolveReport(out, len(frames), recorded.without_camera, poses, stretches, ground)


def check_files(take: Path, out: Path, *, overwrite: bool) -> None:
    """Raises TakeError when `out` must not be written, before any work is done."""
    if out.exists() and take.exists() and out.samefile(take):
        raise TakeError("A solve does not replace its own take.", got=out, hint=f"--out {take.stem}_solved{take.suffix}")
    check_target(out, overwrite=overwrite)


def _solve_people(recorded: Recorded, take: Take, settings: SolveSettings, progress: Progress | None) -> dict[int, SolvedPerson]:
    fit = replace(OFFLINE_FIT, height_m=_height_m(take, settings))
    total, done = (RUNS + settings.lock_feet) * sum(map(len, recorded.sights.values())), 0

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    names = take.header.keypoint_names
    smoothed = [smooth_person(sights, names, fit, settings.smooth_s, advance) for sights in recorded.sights.values()]
    solved = settle_people(smoothed, lock_feet=settings.lock_feet, device=settings.device, advance=advance)
    if progress is not None:
        progress(total, total)  # frames in which nothing could be said had nothing to plant
    return dict(zip(recorded.sights, solved, strict=True))


def _height_m(take: Take, settings: SolveSettings) -> float | None:
    recorded = take.header.settings.get("height_m")
    if settings.height_m is not None or not isinstance(recorded, float | int):
        return settings.height_m
    return float(recorded)


def _with_poses(number: int, frame: TakeFrame, solved: Mapping[int, SolvedPerson]) -> TakeFrame:
    here = {person_id: person for person_id, person in solved.items() if number in person.poses}
    poses = tuple(person.poses[number] for person in here.values())
    return replace(frame, poses=poses, skeletons={person_id: person.skeleton for person_id, person in here.items()})


def _header(take: Take, settings: SolveSettings, lifter: str | None, ground: Grounding | None) -> TakeHeader:
    old = take.header
    height_m = _height_m(take, settings)
    solve: dict[str, Any] = {
        "take": take.path.name,
        "take_created_unix_ns": old.created_unix_ns,
        "posewire": old.posewire_version,
        "height_m": height_m,
        "smooth_s": "auto" if settings.smooth_s is None else settings.smooth_s,
        "lock_feet": settings.lock_feet,
        "device": settings.device,
        "camera": "given" if settings.camera or settings.vertical_fov_deg else "as recorded",
        "ground": settings.ground if ground is None else ground.remark,
    }
    values = {**old.settings, "height_m": height_m, "solve": solve}
    return TakeHeader(old.source, old.method, old.keypoint_names, lifter or old.lifter, values)


def _poses(person: SolvedPerson) -> int:
    return len(person.poses)


def _stretches(person: SolvedPerson) -> int:
    return person.stretches
