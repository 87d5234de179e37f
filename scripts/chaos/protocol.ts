// The protocol of the server under chaos, as the file that it is given: echo, with short limits so that every client
// is answered or ended within the 5 s that the run demands.

/** A frame with this text blocks the worker's event loop for ever. */
export const HANG = "chaos: hang";
/** A frame with this text makes the handler throw. */
export const THROW = "chaos: throw";
/** Longest payload; a header with more is refused. */
export const MAX_FRAME = 65_536;

export const PROTOCOL = `import { defineProtocol, packet, stop } from "drover";

export default defineProtocol({
  name: "chaos",
  framing: packet(4, { maxLength: ${MAX_FRAME} }),
  limits: { frame: "3s", send: "3s", handler: "3s" },
  states: {
    ready: {
      frame(conn, frame) {
        if (frame.length < 16) {
          const text = frame.toString();
          if (text === ${JSON.stringify(HANG)}) for (;;);
          if (text === ${JSON.stringify(THROW)}) throw new Error("thrown on request");
          if (text === "print") console.log("a line of the protocol");
        }
        conn.send(frame);
      },
      idle: { after: "1m", do: stop("idle") },
    },
  },
});
`;
