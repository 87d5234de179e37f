/** Echo: every frame a client sends comes back to it unchanged. */
import { defineProtocol, packet, stop } from "../index.js";

export default defineProtocol({
  name: "echo",
  framing: packet(2),
  // Sent before the handler returns: nothing of it has to be kept.
  frames: "borrowed",
  states: {
    ready: {
      frame: (conn, frame) => conn.send(frame),
      idle: { after: "2m", do: stop("idle") },
    },
  },
});
