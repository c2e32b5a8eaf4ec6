// A VRM 1.0 character made of boxes, in the proportions of a streamed person: the page needs no model file.
const BOX = boxMesh();
const META = {
  name: "stick figure",
  authors: ["Posewire"],
  licenseUrl: "https://vrm.dev/licenses/1.0/",
};

export function stickFigure(subject, digest) {
  const offsets = subject.skeletons[digest];
  const nodes = subject.names.map((name, b) => ({ name, translation: offsets[b], children: childrenOf(subject, b) }));
  subject.names.forEach((_, b) => {
    if (subject.parents[b] >= 0) nodes[subject.parents[b]].children.push(nodes.push(box(offsets[b])) - 1);
  });
  const humanBones = Object.fromEntries(subject.names.map((name, node) => [name, { node }]));
  for (const node of nodes) if (!node.children?.length) delete node.children;
  return JSON.stringify({
    asset: { version: "2.0" },
    extensionsUsed: ["VRMC_vrm"],
    extensions: { VRMC_vrm: { specVersion: "1.0", meta: META, humanoid: { humanBones } } },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes,
    ...BOX,
  });
}

const childrenOf = (subject, bone) => subject.parents.flatMap((parent, b) => (parent === bone ? [b] : []));

// A box from a bone's head to its child's, which lies at `offset`.
function box(offset) {
  const thick = 0.05;
  const length = Math.max(Math.hypot(...offset), 1e-3);
  const [x, y, z] = offset.map((value) => value / length);
  // the shortest turn that takes +y to the direction of the child
  const w = 1 + y;
  const rotation = w < 1e-6 ? [1, 0, 0, 0] : [z, 0, -x, w].map((value) => value / Math.hypot(z, x, w));
  return { mesh: 0, translation: offset.map((value) => value / 2), rotation, scale: [thick, length, thick] };
}

function boxMesh() {
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n & 1, (n >> 1) & 1, (n >> 2) & 1].map((bit) => bit - 0.5));
  const faces = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
  const points = new Float32Array(faces.flatMap(([a, b, c, d]) => [a, b, c, a, c, d]).flatMap((corner) => corners[corner]));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(points.buffer)));
  return {
    meshes: [{ primitives: [{ attributes: { POSITION: 0 }, material: 0 }] }],
    materials: [{ pbrMetallicRoughness: { baseColorFactor: [0.1, 0.45, 0.75, 1], metallicFactor: 0 } }],
    accessors: [
      { bufferView: 0, componentType: 5126, count: points.length / 3, type: "VEC3", min: [-0.5, -0.5, -0.5], max: [0.5, 0.5, 0.5] },
    ],
    bufferViews: [{ buffer: 0, byteLength: points.byteLength }],
    buffers: [{ byteLength: points.byteLength, uri: `data:application/octet-stream;base64,${base64}` }],
  };
}
