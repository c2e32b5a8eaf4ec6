"""The preview in a window (pygame, from the extra `view`). The thread that makes it must also feed and close it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from posewire.data import ImageArray
from posewire.errors import PosewireError
from posewire.preview.sheet import Sheet

if TYPE_CHECKING:
    from posewire.pipeline import Instant


class PreviewWindow:
    """Shows every instant in a window that the user may close or leave with Escape; the run goes on without it.

    Args:
        keypoint_names: (J,) names of the tracks' keypoints: the joints of the method's card.
        title: Written above the side view.

    Raises:
        PosewireError: pygame is not installed, or there is no screen.
    """

    def __init__(self, keypoint_names: Sequence[str], *, title: str = "") -> None:
        self._pygame = _import_pygame()
        self._sheet = Sheet(keypoint_names, title)
        self._surface: Any = None
        self._closed = False
        try:
            self._pygame.display.init()
        except self._pygame.error as error:
            raise PosewireError(
                "There is no screen for a window.", got=error, hint="--preview preview.mp4 writes a file"
            ) from error
        self._pygame.display.set_caption("Posewire")

    @property
    def closed(self) -> bool:
        """True when the window is gone, by the user or by close()."""
        return self._closed

    def add(self, instant: Instant) -> None:
        """Draws and shows one instant; nothing once the window is closed."""
        if not self._closed:
            self._show(self._sheet.draw(instant.frame, instant.tracks, instant.poses, instant.skeletons))
            self._obey()

    def close(self) -> None:
        """Takes the window away; may be called twice."""
        if not self._closed:
            self._closed = True
            self._pygame.display.quit()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _show(self, image: ImageArray) -> None:
        height, width = image.shape[:2]
        if self._surface is None:
            self._surface = self._pygame.display.set_mode((width, height))
        self._surface.blit(self._pygame.image.frombuffer(image.tobytes(), (width, height), "RGB"), (0, 0))
        self._pygame.display.flip()

    def _obey(self) -> None:
        for event in self._pygame.event.get():
            escape = event.type == self._pygame.KEYDOWN and event.key == self._pygame.K_ESCAPE
            if escape or event.type == self._pygame.QUIT:
                self.close()
                return


def _import_pygame() -> Any:
    try:
        return importlib.import_module("pygame")
    except ImportError as error:
        raise PosewireError("The preview window needs pygame.", got=error, hint='pip install "posewire[view]"') from error
