# Drives a Skeleton from VMC (OSC over UDP), as `posewire gateway vmc` sends it. The Godot 4 example is the same for 4.
#
# A pose of a VMC bone is its rotation R relative to its parent, on a character whose bones all have the axes of the model
# at rest. Godot's bones may have any rest axes: with G the bone's rest orientation in the model, P its parent's, the
# bone's orientation in its parent is  inv(P) * R * G,  and Godot 3 wants that relative to the rest.
extends Node

signal frame_applied

export var port := 39539
export var skeleton := NodePath()
# VMC bone name to the skeleton's own, where they differ.
export var bone_names := {}

var tracking := false
var _udp := PacketPeerUDP.new()
var _target: Skeleton

func _ready() -> void:
	_target = get_node(skeleton)
	var error := _udp.listen(port, "127.0.0.1")
	if error != OK:
		push_error("UDP port %d cannot be used: is another receiver running?" % port)

func _process(_delta: float) -> void:
	while _udp.get_available_packet_count() > 0:
		_read_packet(_udp.get_packet())

func _read_packet(data: PoolByteArray) -> void:
	if data.size() < 16 or data.subarray(0, 6).get_string_from_ascii() != "#bundle":
		_read_message(data)
		return
	var at := 16  # after "#bundle" and the time
	while at + 4 <= data.size():
		var size := _int32(data, at)
		if size < 4 or at + 4 + size > data.size():
			return
		_read_message(data.subarray(at + 4, at + 3 + size))
		at += 4 + size

func _read_message(data: PoolByteArray) -> void:
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
			emit_signal("frame_applied")

func _set_bone(values: Array) -> void:
	var bone := _target.find_bone(bone_names.get(values[0], values[0]))
	if bone < 0:
		return
	# Unity is left-handed with x to the right; Godot right-handed with x to the person's left, as glTF: x changes its sign
	var turn := Quat(values[4], -values[5], -values[6], values[7])
	if not is_equal_approx(turn.length_squared(), 1.0):
		return
	var above := _global_rest(_target.get_bone_parent(bone))
	var rest := _target.get_bone_rest(bone)
	var local := Transform(above.basis.inverse() * Basis(turn) * _global_rest(bone).basis, rest.origin)
	if values[0] == "Hips":
		local.origin = above.affine_inverse().xform(Vector3(-values[1], values[2], values[3]))
	_target.set_bone_pose(bone, rest.affine_inverse() * local)

func _global_rest(bone: int) -> Transform:
	if bone < 0:
		return Transform.IDENTITY
	return _global_rest(_target.get_bone_parent(bone)) * _target.get_bone_rest(bone)

static func _int32(data: PoolByteArray, at: int) -> int:
	return data[at] << 24 | data[at + 1] << 16 | data[at + 2] << 8 | data[at + 3]

# A text of OSC: ended by a zero, filled up with zeros to a multiple of four bytes.
static func _text(reader: StreamPeerBuffer) -> String:
	var bytes := PoolByteArray()
	while reader.get_available_bytes() > 0:
		var byte := reader.get_u8()
		if byte == 0:
			break
		bytes.append(byte)
	reader.seek(int(min((reader.get_position() + 3) & ~3, reader.get_size())))
	return bytes.get_string_from_utf8()
