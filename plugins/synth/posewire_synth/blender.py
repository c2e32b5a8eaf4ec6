"""The same people rendered by Blender's Cycles: slow and fine, with the rasteriser's own labels.

`BlenderPainter` takes the place of layers.Painter in a Studio: bodies, poses, clothes, cameras, lights and labels are those of
the seed; colour and coverage come from Cycles, with soft shadows, light between limbs and scattering skin. Each person is
rendered alone and composed as ever. Colours and folds are baked from the camera by the rasteriser and projected onto the mesh.

Blender runs in a process of its own (blender_scene.py), in any Python that has bpy; nothing here imports it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posewire.errors import PluginError
from posewire.npz import write_npz
from posewire_synth.layers import Layers, Painter, Views, project, stored
from posewire_synth.pack import Pack
from posewire_synth.raster import rasterise
from posewire_synth.shading import Dress, Lights, albedo_of, wrinkled
from posewire_synth.skinning import Posed

_BAKED = 2
"""Pixels of the baked colours a pixel of the picture."""
_TO_BLENDER = torch.tensor([1.0, -1.0, -1.0])
"""From the camera's axes: y up, z backwards."""
_SCRIPT = Path(__file__).with_name("blender_scene.py")
_HINT = "python3.11 -m venv bpy && bpy/bin/pip install 'bpy==4.5.*', then --python bpy/bin/python"


def check(python: Path) -> None:
    """Refuses a Python without bpy.

    Raises:
        PluginError: it has none, or does not run.
    """
    try:
        done = subprocess.run([python, "-c", "import bpy"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise PluginError("Blender's Python does not run.", got=f"{python}: {error.strerror}", hint=_HINT) from error
    if done.returncode:
        got = (done.stderr.strip().splitlines() or ["nothing said why"])[-1]
        raise PluginError(f"{python} has no Blender (bpy).", got=got, hint=_HINT)


class BlenderPainter(Painter):
    """Draws with Cycles. `seen` is called after each person."""

    def __init__(
        self, pack: Pack, device: torch.device, *, python: Path = Path(sys.executable), seen: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(pack, device)
        self._python, self._seen = python, seen

    def draw(
        self,
        posed: Posed,
        trim: Tensor,
        dress: dict[str, Tensor],
        views: Views,
        lights: Lights,
        size: tuple[int, int],
        image: Tensor,
    ) -> Layers:
        """As Painter.draw."""
        layers = super().draw(posed, trim, dress, views, lights, size, image)
        rgba = self._cycles(self._scene(posed, trim, dress, views, lights, size)).to(layers.rgb)
        alpha = rgba[..., 3].clamp(0, 1)
        rgb = stored(rgba[..., :3] / rgba[..., 3:].clamp(min=1e-4))
        return replace(layers, rgb=rgb.permute(0, 3, 1, 2).contiguous(), alpha=alpha)

    def _cycles(self, scene: dict[str, NDArray[Any]]) -> Tensor:
        """(L, H, W, 4) linear, premultiplied."""
        with tempfile.TemporaryDirectory() as place:
            people, rendered = Path(place) / "people.npz", Path(place) / "rendered.npz"
            write_npz(people, scene, compressed=False)
            said: list[str] = []
            command = [self._python, _SCRIPT, people, rendered]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as blender:
                for line in blender.stdout or ():
                    said.append(line.strip())
                    if line.startswith("rendered "):
                        self._seen()
            if blender.returncode or not rendered.is_file():
                raise PluginError("Blender did not render.", got=" / ".join(said[-3:]) or "nothing said why", hint=_HINT)
            with np.load(rendered) as file:
                return torch.from_numpy(file["rgba"].astype(np.float32))

    def _scene(
        self, posed: Posed, trim: Tensor, dress: dict[str, Tensor], views: Views, lights: Lights, size: tuple[int, int]
    ) -> dict[str, NDArray[Any]]:
        """What blender_scene.py reads, in Blender's axes with the camera at the origin."""
        axes = _TO_BLENDER.to(views.R)[:, None] * views.R  # world to Blender
        seen = posed.vertices_m @ views.R.transpose(1, 2) + views.t[:, None]
        albedo, normal = self._baked(posed, trim, dress, views, size)
        scene: dict[str, Tensor] = {
            "size": torch.tensor(size),
            "K": views.K,
            "up": axes[:, :, 1],
            "sky": lights.sky,
            "ground": lights.ground,
            "to_lamp": lights.to_lamp @ axes.transpose(1, 2),
            "lamp": lights.lamp,
            "albedo": albedo,
            "normal": normal,
        }
        for row in range(len(seen)):
            vertices, faces, kept = cut(seen[row], self.body.faces, trim[row])
            pixels = project(vertices[None], views.K[row : row + 1])[0]
            u, v = (pixels[:, 0] + 0.5) / size[1], 1 - (pixels[:, 1] + 0.5) / size[0]
            own = {"vertices": vertices * _TO_BLENDER.to(vertices), "faces": faces, "uv": torch.stack([u, v], 1)}
            own["part"] = self.body.part[self.body.faces[kept, 0]]
            scene |= {f"{name}_{row}": value for name, value in own.items()}
        return {name: value.cpu().numpy() for name, value in scene.items()}

    def _baked(
        self, posed: Posed, trim: Tensor, dress: dict[str, Tensor], views: Views, size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """Linear colours and normals in Blender's axes (L, 2 H, 2 W, 3) as seen, continued beyond the silhouettes."""
        K = views.K * _BAKED
        K[:, :2, 2] += 0.5 * (_BAKED - 1)
        K[:, 2, 2] = 1.0
        fine = Views(views.R, views.t, K)
        seen = posed.vertices_m @ views.R.transpose(1, 2) + views.t[:, None]
        size = (size[0] * _BAKED, size[1] * _BAKED)
        found = rasterise(project(seen, K), seen[..., 2], self.body.faces, trim, size, self.two_sided)
        surface, worn = self.surface(found, posed, fine), Dress(**{f.name: dress[f.name] for f in fields(Dress)})
        normal = torch.einsum("pij,pj->pi", views.R[found.layer], wrinkled(surface, worn, self.banks)) * _TO_BLENDER.to(K)
        shape = (len(seen), *size)
        return tuple(_continued(found.pixel, values, shape) for values in (albedo_of(surface, worn, self.banks), normal))  # pyright: ignore[reportReturnType]


def _continued(pixel: Tensor, values: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Values (P, 3) as pictures (L, H, W, 3); a pixel without one takes the nearest."""
    flat = torch.zeros(shape[0] * shape[1] * shape[2], 3)
    bare = np.ones(len(flat), np.uint8)
    flat[pixel.cpu()] = values.cpu()
    bare[pixel.cpu().numpy()] = 0
    pictures, out = flat.view(*shape, 3).numpy(), np.zeros((*shape, 3), np.float32)
    for row, empty in enumerate(bare.reshape(shape)):
        if not empty.all():
            _, label = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
            nearest = np.asarray(label, dtype=np.int64)
            source = np.zeros((nearest.max() + 1, 3), np.float32)
            source[nearest[empty == 0]] = pictures[row][empty == 0]
            out[row] = source[nearest]
    return torch.from_numpy(out)


def cut(vertices: Tensor, faces: Tensor, trim: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The part of a mesh where the trim, interpolated, is positive: vertices (V', 3), faces (F', 3), and each one's old face."""
    worn = trim[faces] > 0  # (F, 3)
    count = worn.sum(1)
    whole = (count == 3).nonzero()[:, 0]
    new_vertices, new_faces, kept = [vertices], [faces[whole]], [whole]
    used = len(vertices)
    for corners in (1, 2):
        rows = (count == corners).nonzero()[:, 0]
        # The odd corner first: the one that is worn, or the one that is not.
        odd = (worn[rows] if corners == 1 else ~worn[rows]).float().argmax(1)
        a, b, c = (faces[rows][torch.arange(len(rows)), (odd + k) % 3] for k in range(3))
        ab, ac = _between(vertices, trim, a, b), _between(vertices, trim, a, c)
        p = used + torch.arange(len(rows), device=faces.device)
        q = p + len(rows)
        new_vertices += [ab, ac]
        used += 2 * len(rows)
        triangles = [(a, p, q)] if corners == 1 else [(p, b, c), (p, c, q)]
        new_faces += [torch.stack(one, 1) for one in triangles]
        kept += [rows] * len(triangles)
    return torch.cat(new_vertices), torch.cat(new_faces), torch.cat(kept)


def _between(vertices: Tensor, trim: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Where the trim is zero on the edges (N,) from a to b."""
    share = trim[a] / (trim[a] - trim[b])
    return vertices[a] + share[:, None] * (vertices[b] - vertices[a])
