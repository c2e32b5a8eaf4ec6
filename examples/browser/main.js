// Live people from `posewire gateway ws` on VRM characters. Drop a .vrm file on the page to see it move.
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMLoaderPlugin, VRMUtils } from "@pixiv/three-vrm";
import { stickFigure } from "./stick_figure.js";
import { listen } from "./stream.js";

const port = new URLSearchParams(location.search).get("port") ?? "8765";
const words = document.getElementById("words");
const renderer = new THREE.WebGLRenderer({ antialias: true });
document.body.append(renderer.domElement);
const camera = new THREE.PerspectiveCamera(35, 1, 0.1, 50);
camera.position.set(0, 1.3, 4.5);
camera.lookAt(0, 0.9, 0);
const scene = new THREE.Scene();
scene.background = new THREE.Color(0xf4f4f4);
scene.add(new THREE.HemisphereLight(0xffffff, 0x888888, 3), new THREE.GridHelper(10, 20));

const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
const characters = new Map(); // person id -> { digest, vrm } ; vrm is null while it loads
let dropped = null; // the user's own model, an ArrayBuffer
let frames = 0;

const stream = listen(`ws://127.0.0.1:${port}/?rig=vrm`, (text) => (words.textContent = text));

async function load(person) {
  const character = { digest: person.skeleton, vrm: null };
  characters.set(person.id, character);
  const model = dropped?.slice(0) ?? stickFigure(stream.subject, person.skeleton);
  const { vrm } = (await loader.parseAsync(model, "")).userData;
  VRMUtils.rotateVRM0(vrm); // VRM 0 looks the other way
  character.vrm = vrm;
  character.size = vrm.humanoid.normalizedRestPose.hips.position[1] / stream.restHeight(person.skeleton);
  if (characters.get(person.id) === character) scene.add(vrm.scene);
}

function remove(id) {
  const { vrm } = characters.get(id);
  characters.delete(id);
  if (vrm) {
    scene.remove(vrm.scene);
    VRMUtils.deepDispose(vrm.scene);
  }
}

function apply(person, { vrm, size }) {
  const mirror = vrm.meta.metaVersion === "0" ? -1 : 1; // its normalised bones are turned by half a turn about y
  stream.subject.names.forEach((name, b) => {
    const [w, x, y, z] = person.rotations_wxyz[b];
    vrm.humanoid.getNormalizedBoneNode(name)?.quaternion.set(mirror * x, y, mirror * z, w);
  });
  const [x, y, z] = person.root_m;
  vrm.humanoid.getNormalizedBoneNode("hips").position.set(mirror * x, y, mirror * z).multiplyScalar(size);
}

function show(pose) {
  for (const id of characters.keys()) if (!pose.people.some((person) => person.id === id)) remove(id);
  for (const person of pose.people) {
    const character = characters.get(person.id);
    if (character && character.digest !== person.skeleton) remove(person.id);
    if (!characters.has(person.id)) load(person);
    else if (character?.vrm) apply(person, character);
  }
  frames += 1;
}

let last_ms = performance.now();
renderer.setAnimationLoop((now_ms) => {
  const elapsed_s = (now_ms - last_ms) / 1000;
  last_ms = now_ms;
  const pose = stream.takeNewest();
  if (pose) show(pose);
  for (const { vrm } of characters.values()) vrm?.update(elapsed_s);
  renderer.render(scene, camera);
});

function resize() {
  renderer.setSize(innerWidth, innerHeight);
  camera.aspect = innerWidth / innerHeight;
  camera.updateProjectionMatrix();
}
addEventListener("resize", resize);
resize();

addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", async (event) => {
  event.preventDefault();
  dropped = await event.dataTransfer.files[0].arrayBuffer();
  for (const id of [...characters.keys()]) remove(id);
});

// for tests: what the page shows now
globalThis.posewire = {
  get frames() { return frames; },
  get pose() { return stream.pose; },
  get subject() { return stream.subject; },
  characters,
  THREE,
};
