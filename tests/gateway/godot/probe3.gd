# Runs the example without a window; prints where its bones are after some frames, as one line of JSON, and ends.
extends SceneTree

var _frames := 0
var _skeleton: Skeleton

func _init() -> void:
	var main: Node = load("res://main.tscn").instance()
	_skeleton = main.get_node("Skeleton")
	var receiver := main.get_node("VmcReceiver")
	receiver.port = int(OS.get_environment("VMC_PORT"))
	receiver.connect("frame_applied", self, "_on_frame")
	get_root().call_deferred("add_child", main)
	print("listening")

func _on_frame() -> void:
	_frames += 1
	if _frames != 10:
		return
	var at := {}
	for bone in _skeleton.get_bone_count():
		var position := _skeleton.get_bone_global_pose(bone).origin
		at[_skeleton.get_bone_name(bone)] = [position.x, position.y, position.z]
	print("bones " + JSON.print(at))
	quit()
