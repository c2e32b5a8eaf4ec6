"""Whatever is wrong with a command: exit code 2, no traceback, and a line that says what to type next."""

import shlex

import pytest

from posewire.take import TakeHeader, TakeWriter

WRONG = """
run CLIP --stream
run CLIP another.mp4
keys list studio
run absent.mp4
run text.mp4
run empty.mp4
run folder
run CLIP --out take.txt
run CLIP --out absent/take.pwt
run CLIP --out folder
run CLIP --out TAKE
run CLIP --preview seen.avi
run CLIP --preview absent/seen.mp4
run CLIP --preview folder
run CLIP --camera absent.json
run CLIP --camera text.json
run CLIP --camera other.json
run CLIP --profile nobody
run CLIP --calibrate ../nobody
run CLIP --settings absent.toml
run CLIP --settings other.toml
run CLIP --rig absent.json
run CLIP --rig other.json
run CLIP --rig gundam
run CLIP --method openpose
run CLIP --method vae
run CLIP --lifter openpose
run CLIP --lifter blazepose
run CLIP --device tpu
run CLIP --threads -3
run CLIP --max-people 0
run CLIP --fov 3
run CLIP --height 9
run CLIP --publish udp://127.0.0.1:1
run CLIP --publish tcp://0.0.0.0:5577
run CLIP --publish tcp://127.0.0.1:99999
run CLIP --method xnect --max-people 17
run --publish CLIP
run --weights mine.onnx CLIP
run CLIP --floor high
run CLIP --rig vrm
run CLIP --fast
run CLIP --insecure
run CLIP --publish-picture
run TAKE
demo --device tpu
detect absent.jpg --out found.npz
detect text.jpg --out found.npz
detect CLIP --out found.npz
detect folder --out found.npz
detect PICTURE --out found.txt
detect PICTURE --out absent/found.npz
detect PICTURE --out found.npz --method vae
detect PICTURE --out text.npz
info absent.pwt
info text.pwt
info empty.pwt
info folder
export absent.pwt clip.bvh
export folder clip.bvh
export text.pwt clip.bvh
export TAKE clip.fbx
export TAKE clip
export TAKE folder
export TAKE absent/clip.bvh
export TAKE clip.bvh --person 9
export TAKE text.npz
solve absent.pwt --out new.pwt
solve folder --out new.pwt
solve text.pwt --out new.pwt
solve TAKE --out new.txt
solve TAKE --out TAKE
solve TAKE --out text.pwt
solve TAKE --out absent/new.pwt
solve TAKE --out new.pwt --lifter openpose
solve TAKE --out new.pwt --lifter blazepose
solve TAKE --out new.pwt --height 9
solve TAKE --out new.pwt --fov 3
solve TAKE --out new.pwt --camera absent.json
solve TAKE --out new.pwt --smooth much
solve TAKE --out new.pwt --smooth nan
listen udp://127.0.0.1:1
listen tcp://127.0.0.1:5591 --timeout 0.1
listen --connect tcp://127.0.0.1:5591 --timeout 0.1
listen tcp://127.0.0.1:5591 --key-file absent.key
listen tcp://127.0.0.1:5591 --key-file text.json
listen --timeout nan
listen --timeout -1
listen --count 0
replay absent.pwt --publish
replay text.pwt --publish
replay TAKE
replay TAKE --publish udp://127.0.0.1:1
replay TAKE --publish --rig gundam
keys add ../studio
keys remove nobody
gateway fax
gateway vmc --max-rate 0
gateway ws --port 99999
gateway vmc --port 39540
gateway vmc --rig vrm
gateway osc --trackers hip
gateway osc --axes sideways
gateway vmc --connect udp://127.0.0.1:1
gateway vmc --key-file absent.key
view --port -1 --no-browser
blender fly
eval
eval TAKE
eval TAKE --reference absent.npz
eval TAKE --reference text.npz
eval TAKE --reference TAKE --methods openpose
eval TAKE --reference TAKE --methods blazepose --lifters openpose
eval TAKE --reference TAKE --lifters vae
eval --identity --method openpose
eval TAKE --reference TAKE --plot absent/plot.png
eval TAKE --reference TAKE --plot TAKE
eval TAKE --reference TAKE --markdown
eval TAKE --reference TAKE --every 2
eval TAKE --reference TAKE --limit 5
eval TAKE --reference TAKE --methods blazepose --plot plot.png
eval TAKE --reference TAKE --methods blazepose --per-joint
eval --identity --plot plot.png
eval --motion text.bvh --by joint
eval --images absent
eval --images folder
eval --images text.jpg
eval --motion absent
eval --motion folder
eval --motion text.bvh
eval --motion folder --every 0
eval --motion absent --lifter vae
eval --motion text.npz --lifter openpose
eval --motion text.npz folder --lifter vae
eval --motion text.npz --lifter vae --samples 0
eval --motion text.npz --lifter vae --missing 2
eval --motion text.npz --lifter vae --bodies 2
eval --dataset h36m
eval --dataset h36m --data absent
eval --dataset h36m --data folder
methods blazepoze
settings --settings absent.toml
settings --settings other.toml
settings --settings type.toml
plugin new 9lives
plugin new lives --folder absent
calibrate absent.mp4 --out camera.json
calibrate text.mp4 --out camera.json
calibrate CLIP
calibrate CLIP --out text.json
calibrate CLIP --out camera.json --board nothing
calibrate CLIP --out camera.json --board charuco:1x1
calibrate CLIP --out camera.json --square 0
calibrate CLIP --out camera.json --ground where
calibrate CLIP --out camera.json --lens absent.json
calibrate CLIP --out camera.json --seconds -1
calibrate CLIP --out camera.json
calibrate board
calibrate board board.doc
calibrate CLIP --out camera.json --preview covered.pdf
synth
synth --out sheet.png --size 17
synth --out sheet.png --count 0
synth pack
bench luck
bench fit_single --peers absent
fly
""".strip().splitlines()


@pytest.fixture(scope="module")
def names(short_clip, tmp_path_factory):
    """A folder with one of everything that is not what it seems, and the good files that the lines speak of."""
    folder = tmp_path_factory.mktemp("wrong")
    for suffix in ("pwt", "mp4", "npz", "json", "jpg", "bvh"):
        (folder / f"text.{suffix}").write_text("{ nothing that this name promises")
    for name in ("empty.pwt", "empty.mp4"):
        (folder / name).touch()
    (folder / "other.json").write_text('{"a": 1}')
    (folder / "other.toml").write_text("max_peple = 3\n")
    (folder / "type.toml").write_text("camera = 3\n")
    (folder / "folder").mkdir()
    with TakeWriter(folder / "good.pwt", TakeHeader("clip.mp4", "blazepose", ("nose",), None, {})):
        pass
    return folder, {"CLIP": str(short_clip), "TAKE": "good.pwt", "PICTURE": "text.jpg"}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_said_with_what_to_type_next(posewire, names, line, monkeypatch):
    folder, known = names
    monkeypatch.chdir(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    ran = posewire(*(known.get(word, word) for word in shlex.split(line)))
    assert ran.code == 2, ran
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert "  next:  " in ran.err, ran.err
    assert f"  next:    posewire {line.split()[0]} --help" not in ran.err, "only the fallback of an error without a hint"
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("run --publish CLIP", "posewire run SOURCE ..., flags after it"),
        ("calibrate CLIP --out camera.json --preview covered.pdf", "--preview covered.png"),
        ("eval TAKE --reference TAKE --methods blazepose --plot p.png", "--plot changes nothing of this comparison."),
        ("run CLIP --rig vrm", "CLIP --publish --rig NAME"),
        ("run TAKE", "posewire replay good.pwt --publish"),
        ("gateway vmc --port 39540", "--to vmc=127.0.0.1:39540"),
        ("gateway json --axes unreal", "with osc"),
        ("gateway osc ws --without Spine", "posewire gateway vmc --without ..."),
        ("run CLIP --floor high", "choose from"),
        ("settings --settings other.toml", "did you mean max_people?"),
        ("settings --settings type.toml", 'camera = "..."'),
        ("settings --settings absent.toml", "There is no such settings file."),
    ],
)
def test_the_next_line_is_about_this_mistake(posewire, names, line, said, monkeypatch):
    folder, known = names
    monkeypatch.chdir(folder)
    assert said.replace("CLIP", known["CLIP"]) in posewire(*(known.get(word, word) for word in shlex.split(line))).err


def test_posewire_alone_shows_its_commands(posewire):
    ran = posewire()
    assert ran.code == 2
    assert "first steps:" in ran.err
