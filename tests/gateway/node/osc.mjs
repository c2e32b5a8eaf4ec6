// Prints one VMC frame, as node-osc reads it from UDP port argv[2], as JSON.
import { Server } from "node-osc";

const got = [];
const server = new Server(Number(process.argv[2]), "127.0.0.1", () => console.log("listening"));

function note(message) {
  got.push(message);
  if (message[0] !== "/VMC/Ext/Blend/Apply") return;
  console.log(JSON.stringify(got));
  process.exit(0);
}

server.on("bundle", (bundle) => bundle.elements.forEach(note));
server.on("message", note);
