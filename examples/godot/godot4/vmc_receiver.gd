# Drives a Skeleton3D from VMC (OSC over UDP), as `posewire gateway vmc` sends it.
#
# A pose of a VMC bone is its rotation relative to its parent, on a character whose bones all have the axes of the model
# at rest. Godot's bones may have any rest axes: with G the bone's rest orientation in the model, P its parent's, and L
# its local rest, the pose is  L * inv(G) * R * G  =  inv(P) * R * G.
extends Node

@export var port := 39539
@export var skeleton: NodePath
# VMC bone name to the skeleton's own, where they differ.
@export var bone_names := {}

signal frame_applied

var tracking := false
var _udp := PacketPeerUDP.new()
var _target: Skeleton3D

func _ready() -> void:
	_target = get_node(skeleton)
	var error := _udp.bind(port, "127.0.0.1")
	if error != OK:
		push_error("UDP port %d cannot be used: is another receiver running?" % port)

func _process(_delta: float) -> void:
	while _udp.get_available_packet_count() > 0:
		_read_packet(_udp.get_packet())

func _read_packet(data: PackedByteArray) -> void:
	if data.size() < 16 or data.slice(0, 7).get_string_from_ascii() != "#bundle":
		_read_message(data)
		return
	var at := 16  # after "#bundle" and the time
	while at + 4 <= data.size():
		var size := _int32(data, at)
		if size < 4 or at + 4 + size > data.size():
			return
		_read_message(data.slice(at + 4, at + 4 + size))
		at += 4 + size

func _read_message(data: PackedByteArray) -> void:
	var reader := StreamPeerBuffer.new()
	reader.data_array = data
	reader.big_endian = true
	var address := _text(reader)
	var types := _text(reader)
	var values := []
	for kind in types.trim_prefix(","):
		if kind != "s" and reader.get_available_bytes() < 4:
			return
		match kind:
			"s": values.append(_text(reader))
			"i": values.append(reader.get_32())
			"f": values.append(reader.get_float())
			_: return
	_handle(address, values)

func _handle(address: String, values: Array) -> void:
	match address:
		"/VMC/Ext/OK":
			tracking = values.size() < 4 or values[3] == 1
		"/VMC/Ext/Bone/Pos":
			if values.size() == 8 and values[0] is String:
				_set_bone(values)
		"/VMC/Ext/Blend/Apply":
			frame_applied.emit()

func _set_bone(values: Array) -> void:
	var bone := _target.find_bone(bone_names.get(values[0], values[0]))
	if bone < 0:
		return
	# Unity is left-handed with x to the right; Godot right-handed with x to the person's left, as glTF: x changes its sign
	var turn := Quaternion(values[4], -values[5], -values[6], values[7])
	if not is_equal_approx(turn.length_squared(), 1.0):
		return
	var rest := _target.get_bone_global_rest(bone)
	var parent := _target.get_bone_parent(bone)
	var above := _target.get_bone_global_rest(parent) if parent >= 0 else Transform3D.IDENTITY
	var pose := above.basis.inverse() * Basis(turn) * rest.basis
	_target.set_bone_pose_rotation(bone, pose.get_rotation_quaternion())
	if values[0] == "Hips":
		_target.set_bone_pose_position(bone, above.affine_inverse() * Vector3(-values[1], values[2], values[3]))

static func _int32(data: PackedByteArray, at: int) -> int:
	return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]

# A text of OSC: ended by a zero, filled up with zeros to a multiple of four bytes.
static func _text(reader: StreamPeerBuffer) -> String:
	var bytes := PackedByteArray()
	while reader.get_available_bytes() > 0:
		var byte := reader.get_u8()
		if byte == 0:
			break
		bytes.append(byte)
	reader.seek(min((reader.get_position() + 3) & ~3, reader.get_size()))
	return bytes.get_string_from_utf8()
