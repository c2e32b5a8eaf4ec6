"""Renders people whom `blender` wrote into a file with Cycles. Runs alone, in a Python that has bpy:

python blender_scene.py people.npz rendered.npz

Imports nothing of Posewire. Camera at the origin; Blender's axes are x right, y up, z backwards.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import bpy  # pyright: ignore[reportMissingImports]
import numpy as np

SAMPLES = 32
FINISH = {
    "skin": (0.5, 0.3),
    "eyes": (0.1, 0.5),
    "scalp": (0.5, 0.2),
    "hair": (0.45, 0.2),
    "top": (0.85, 0.08),
    "bottom": (0.85, 0.08),
    "skirt": (0.85, 0.08),
    "shoes": (0.45, 0.3),
}
"""Roughness and specular level of the parts, in the order of bodies.PARTS."""


def main(people: Path, rendered: Path) -> None:
    """Renders every person of the file; rgba (L, H, W, 4), linear, premultiplied."""
    with np.load(people) as file:
        scene = {name: file[name] for name in file.files}
    rows = []
    for number in range(len(scene["K"])):
        rows.append(render(scene, number))
        print(f"rendered {number + 1}", flush=True)
    np.savez(rendered, rgba=np.stack(rows).astype(np.float16))


def render(scene: dict[str, np.ndarray], number: int) -> np.ndarray:
    """(H, W, 4) of one person."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    height, width = scene["size"].tolist()
    settings(width, height)
    camera(scene["K"][number], width, height)
    world(scene["up"][number], scene["sky"][number], scene["ground"][number])
    for direction, light in zip(scene["to_lamp"][number], scene["lamp"][number], strict=True):
        sun(direction, light)
    body(scene, number)
    with tempfile.TemporaryDirectory() as place:
        bpy.context.scene.render.filepath = str(Path(place) / "person.exr")
        bpy.ops.render.render(write_still=True)
        image = bpy.data.images.load(bpy.context.scene.render.filepath)
        pixels = np.empty(height * width * 4, np.float32)
        image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1]


def settings(width: int, height: int) -> None:
    """Cycles on the CPU, few samples, denoised, nothing behind the person."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", SAMPLES, True
    scene.cycles.max_bounces = 4
    scene.render.film_transparent = True
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    output = scene.render.image_settings
    output.file_format, output.color_mode, output.color_depth = "OPEN_EXR", "RGBA", "32"


def camera(K: np.ndarray, width: int, height: int) -> None:
    """The pinhole K, whose first pixel has its centre at 0, 0; its principal point may lie far outside the picture."""
    data = bpy.data.cameras.new("camera")
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = 36.0 * float(K[0, 0]) / width
    data.shift_x = ((width - 1) / 2 - float(K[0, 2])) / width
    data.shift_y = (float(K[1, 2]) - (height - 1) / 2) / width
    data.clip_start, data.clip_end = 0.05, 200.0
    bpy.context.scene.camera = bpy.data.objects.new("camera", data)
    bpy.context.collection.objects.link(bpy.context.scene.camera)


def world(up: np.ndarray, sky: np.ndarray, ground: np.ndarray) -> None:
    """Light from all around: sky above the horizon, ground below it."""
    shader = bpy.data.worlds.new("world")
    shader.use_nodes = True
    bpy.context.scene.world = shader
    nodes, links = shader.node_tree.nodes, shader.node_tree.links
    where, dot, mix = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeVectorMath"), nodes.new("ShaderNodeMixRGB")
    dot.operation = "DOT_PRODUCT"
    dot.inputs[1].default_value = up.tolist()
    step = nodes.new("ShaderNodeMapRange")
    step.inputs["From Min"].default_value, step.inputs["From Max"].default_value = -0.1, 0.1
    mix.inputs[1].default_value, mix.inputs[2].default_value = (*ground.tolist(), 1.0), (*sky.tolist(), 1.0)
    links.new(where.outputs["Generated"], dot.inputs[0])
    links.new(dot.outputs["Value"], step.inputs["Value"])
    links.new(step.outputs["Result"], mix.inputs[0])
    links.new(mix.outputs[0], nodes["Background"].inputs["Color"])


def sun(direction: np.ndarray, light: np.ndarray) -> None:
    """A lamp far away; a white surface that faces it shines with `light`."""
    from mathutils import Vector  # pyright: ignore[reportMissingImports]

    strength = max(float(light.max()), 1e-6)
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.angle = np.pi * strength, np.radians(4.0)
    data.color = (light / strength).tolist()
    lamp = bpy.data.objects.new("sun", data)
    lamp.rotation_euler = Vector(direction.tolist()).to_track_quat("Z", "Y").to_euler()
    bpy.context.collection.objects.link(lamp)


def body(scene: dict[str, np.ndarray], number: int) -> None:
    """The dressed person: a mesh whose colours and folds are pictures, projected from the camera."""
    vertices, faces, part, uv = (scene[f"{name}_{number}"] for name in ("vertices", "faces", "part", "uv"))
    mesh = bpy.data.meshes.new("person")
    mesh.from_pydata(vertices.tolist(), [], faces.tolist())
    mesh.polygons.foreach_set("material_index", part.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(faces), bool))
    mesh.uv_layers.new(name="seen").data.foreach_set("uv", uv[faces.ravel()].ravel().astype(np.float32))
    pictures = [picture(name, scene[name][number]) for name in ("albedo", "normal")]
    for name, (roughness, gloss) in FINISH.items():
        mesh.materials.append(material(pictures, roughness, gloss, name == "skin"))
    mesh.update()
    bpy.context.collection.objects.link(bpy.data.objects.new("person", mesh))


def picture(name: str, values: np.ndarray) -> bpy.types.Image:
    """(H, W, 3) numbers as a texture, as they are."""
    height, width = values.shape[:2]
    image = bpy.data.images.new(name, width, height, float_buffer=True, is_data=True)
    rgba = np.concatenate([values[::-1], np.ones((height, width, 1))], axis=-1).astype(np.float32)
    image.pixels.foreach_set(rgba.ravel())
    image.pack()
    return image


def material(pictures: list[bpy.types.Image], roughness: float, gloss: float, skin: bool) -> bpy.types.Material:
    """What a part of the body is made of."""
    made = bpy.data.materials.new("part")
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    surface = nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = roughness
    surface.inputs["Specular IOR Level"].default_value = gloss
    if skin:
        surface.inputs["Subsurface Weight"].default_value = 0.2
        surface.inputs["Subsurface Scale"].default_value = 0.01
    for image, target in zip(pictures, ("Base Color", "Normal"), strict=True):
        texture = nodes.new("ShaderNodeTexImage")
        texture.image, texture.extension = image, "EXTEND"
        links.new(texture.outputs["Color"], surface.inputs[target])
    return made


if __name__ == "__main__":
    main(Path(sys.argv[-2]), Path(sys.argv[-1]))
