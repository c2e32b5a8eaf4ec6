"""What a plugin offers: cards that describe a method, a source or a rig, and the protocols that a method fulfils."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from posewire.data import Camera, Detections, FloatArray, Frame
from posewire_models import Measurement as Measurement  # what plugin authors import it by

if TYPE_CHECKING:
    from typing import TypeAlias

Device = Literal["cpu", "gpu"]
DEVICES: tuple[Device, ...] = ("cpu", "gpu")


@dataclass(frozen=True, slots=True)
class MethodOptions:
    """What the host tells a method when it opens it."""

    device: Device = "cpu"
    max_people: int = 1
    """Largest number of people to look for."""
    threads: int = 0
    """Threads for the network; 0 = all cores."""
    live: bool = False
    """True when frames may have been dropped between two calls."""
    weights: tuple[Path, ...] = ()
    """Existing files instead of the method's own, as many and in the order as its card says; () = its own."""


@runtime_checkable
class Estimator(Protocol):
    """Sees people in pictures. One thread calls it; frames come in time order. An image of any size must be taken."""

    def estimate(self, frame: Frame) -> Detections:
        """Everybody in the frame, at most MethodOptions.max_people; Detections.nobody(...) where there is none."""
        ...

    def reset(self) -> None:
        """Forgets every earlier frame: the next one belongs to something else (a cut, single images)."""
        ...

    def close(self) -> None:
        """Frees the network; may be called twice."""
        ...


@runtime_checkable
class BoxEstimator(Estimator, Protocol):
    """An estimator that can be told where somebody is. Optional: benchmarks ask it what it sees in a true box."""

    def estimate_in(self, frame: Frame, box_px: FloatArray) -> Detections:
        """The person around whom a box (4,) x0 y0 x1 y1 was drawn, or nobody; earlier frames count for nothing."""
        ...


@runtime_checkable
class Lifter(Protocol):
    """Turns one person's 2D history into 3D."""

    @property
    def receptive_field(self) -> int:
        """Frames T of history that one call takes, the last one being now."""
        ...

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        """Keypoints (T, J, 2) px, confidence (T, J), times (T,) to (J, 3) metres, root-relative, camera axes; NaN = unknown.

        A person's first frames come with fewer than `receptive_field` rows.
        """
        ...

    def close(self) -> None:
        """Frees the network; may be called twice."""
        ...


@runtime_checkable
class SamplingLifter(Lifter, Protocol):
    """A lifter that knows the other poses that would look the same. Optional: the host asks it how sure each joint is."""

    @property
    def can_sample(self) -> bool:
        """False where this one has a single answer after all (another network of the same class)."""
        ...

    def sample(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera, count: int) -> FloatArray:
        """What `lift` takes, to `count` poses (count, J, 3); the same input gives the same poses. NaN = unknown."""
        ...


Method: TypeAlias = "Estimator | Lifter"


@dataclass(frozen=True, slots=True)
class MethodCard:
    """A pose method as `posewire methods` lists it. `create` imports the network; making the card must not."""

    name: str
    kind: Literal["estimator", "lifter"]
    joints: tuple[str, ...]
    """Keypoint names: the J axis of what the method returns. A lifter's input has the same names; any of them may be unseen."""
    multi_person: bool
    weights_licence: str
    summary: str
    create: Callable[[MethodOptions], Method]
    accuracy: tuple[Measurement, ...] = ()
    """What was measured, the number to choose by first; () = nothing was."""
    speed: tuple[Measurement, ...] = ()
    weights: tuple[str, ...] = ()
    """An estimator's: what the files of --weights are, by the names of its own; () = it takes none."""


class Source(Protocol):
    """An open source of frames.

    A source may also offer `status: str` (a live one: connected, lost and retrying) and `problems: list[str]` (what was
    wrong with its data); the command line shows both.
    """

    @property
    def live(self) -> bool:
        """True when the source does not wait for its reader (a camera, a stream)."""
        ...

    @property
    def frame_count(self) -> int | None:
        """Number of frames where it is known beforehand."""
        ...

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Releases the device or file; may be called twice, from any thread."""
        ...


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What the host tells a source when it opens it."""

    vertical_fov_deg: float = 54.0
    camera: Camera | None = None
    """A calibration; it wins over the field of view."""
    images_per_second: float | None = None
    """Of what has no clock, a folder of images; None = the source's own guess."""


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A kind of source as `posewire sources` lists it."""

    name: str
    summary: str
    example: str
    """An address that a user could type."""
    matches: Callable[[str], bool]
    """Says whether an address is for this source; cheap, opens nothing."""
    open: Callable[[str, SourceOptions], Source]


@dataclass(frozen=True, slots=True)
class RigCard:
    """A target rig as `posewire rigs` lists it."""

    name: str
    summary: str
    path: Path
    """Its mapping, a JSON file."""
