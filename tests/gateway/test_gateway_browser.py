"""The browser example in headless Chromium: three-vrm's characters point where the person does."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium_page import Page
from gateway_samples import angle_deg, moment, pose

from posewire.skeleton import REFERENCE
from posewire_gateway.people import parse_choice
from posewire_gateway.websocket import WebSocketServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "browser"
LIMBS = {
    ("UpperArm", "LowerArm"): ("shoulder", "elbow"),
    ("LowerArm", "Hand"): ("elbow", "wrist"),
    ("UpperLeg", "LowerLeg"): ("hip", "knee"),
    ("LowerLeg", "Foot"): ("knee", "ankle"),
}
BONES = """(() => {
  const vrm = posewire.characters.get(3)?.vrm;
  if (!vrm || posewire.frames < 5) return null;
  vrm.scene.updateWorldMatrix(true, true);
  return Object.fromEntries(posewire.subject.names.map((name) => {
    const at = vrm.humanoid.getRawBoneNode(name).getWorldPosition(new posewire.THREE.Vector3());
    return [name, at.toArray()];
  }));
})()"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def page_url(installed: Callable[[Path], Path]) -> Iterator[str]:
    """The example with its libraries, served on this machine."""
    folder = installed(EXAMPLE)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_bones_of_a_vrm_point_where_the_person_does(page_url: str, tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("NOT RUN: Chromium is not installed")
    person, server = pose(3, seed=2, root_m=(0.0, 0.9, 0.0)), WebSocketServer(0, parse_choice("all"))
    stop = threading.Event()
    sender = threading.Thread(target=lambda: [server.send(moment(person)) for _ in iter(lambda: stop.wait(0.02), True)])
    sender.start()
    try:
        with Page(chromium, tmp_path / "profile", f"{page_url}?port={server.port}") as page:
            got = {name: np.array(at) for name, at in page.until(BONES).items()}
            page.screenshot(tmp_path / "page.png")
    finally:
        stop.set()
        sender.join()
        server.close()
    np.testing.assert_allclose(got["hips"], person.root_m, atol=1e-4)
    for side in ("left", "right"):
        for (start, end), (joint, next_joint) in LIMBS.items():
            a, b = (person.positions_m[REFERENCE.index(f"{side}_{j}")] for j in (joint, next_joint))
            assert angle_deg(got[side + end] - got[side + start], b - a) < 0.1, f"{side}{start}"
