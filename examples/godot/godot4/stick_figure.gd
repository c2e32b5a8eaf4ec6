# A character of our own so that the example needs no model: bones with turned rest axes, and lines that show them.
extends Skeleton3D

const BONES := [
	["Hips", "", Vector3(0, 0.9, 0)],
	["Spine", "Hips", Vector3(0, 0.11, 0)],
	["Chest", "Spine", Vector3(0, 0.14, 0)],
	["UpperChest", "Chest", Vector3(0, 0.125, 0)],
	["Neck", "UpperChest", Vector3(0, 0.125, 0)],
	["Head", "Neck", Vector3(0, 0.09, 0.015)],
]
const SIDE := [
	["Shoulder", "UpperChest", Vector3(0.025, 0.1, 0)],
	["UpperArm", "Shoulder", Vector3(0.15, 0.015, 0)],
	["LowerArm", "UpperArm", Vector3(0.316, 0, 0)],
	["Hand", "LowerArm", Vector3(0.248, 0, 0)],
	["UpperLeg", "Hips", Vector3(0.09, 0, 0)],
	["LowerLeg", "UpperLeg", Vector3(0, -0.416, 0)],
	["Foot", "LowerLeg", Vector3(0, -0.419, 0)],
]

var _lines := ImmediateMesh.new()

func _ready() -> void:
	for row in BONES:
		_add(row[0], row[1], row[2])
	for side in ["Left", "Right"]:
		for row in SIDE:
			var inner: bool = row[1] in ["UpperChest", "Hips"]
			var mirror := Vector3(1 if side == "Left" else -1, 1, 1)
			_add(side + row[0], row[1] if inner else side + row[1], row[2] * mirror)
	reset_bone_poses()
	var view := MeshInstance3D.new()
	view.mesh = _lines
	var material := StandardMaterial3D.new()
	material.shading_mode = BaseMaterial3D.SHADING_MODE_UNSHADED
	view.material_override = material
	add_child(view)

# `offset` in model axes; the rest axes of each bone are turned against the model's, as an artist's would be.
func _add(bone_name: String, parent_name: String, offset: Vector3) -> void:
	var bone := add_bone(bone_name)
	var parent := find_bone(parent_name) if parent_name != "" else -1
	var above := Transform3D.IDENTITY
	if parent >= 0:
		set_bone_parent(bone, parent)
		above = get_bone_global_rest(parent)
	var turned := Basis(Vector3(1, bone, 2).normalized(), 0.7 * bone)
	var at := above.origin + offset if parent >= 0 else offset
	set_bone_rest(bone, above.affine_inverse() * Transform3D(turned, at))

func _process(_delta: float) -> void:
	_lines.clear_surfaces()
	_lines.surface_begin(Mesh.PRIMITIVE_LINES)
	for bone in get_bone_count():
		if get_bone_parent(bone) >= 0:
			_lines.surface_add_vertex(get_bone_global_pose(get_bone_parent(bone)).origin)
			_lines.surface_add_vertex(get_bone_global_pose(bone).origin)
	_lines.surface_end()
