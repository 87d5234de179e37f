/** A worker that asks the primary without end and reads no answer. */
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** Sends messages that want an answer, and reads none: 400,000 of them in turns of the loop that never end. */
const FLOOD = `
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "flood",
  framing: packet(2),
  states: {
    ready: {
      frame: (conn, frame) => {
        const message = JSON.parse(String(frame));
        const end = performance.now() + 4_000;
        while (performance.now() < end) process.send(message);
      },
    },
  },
});`;

describe.concurrent("flood", () => {
  test.each([
    { t: "acquire", d: "main" },
    { cmd: "NODE_HANDLE", type: "net.Native", msg: {} },
    {
      cmd: "NODE_CLUSTER",
      act: "queryServer",
      key: "k",
      address: "127.0.0.1",
      port: 0,
      addressType: 4,
      fd: -1,
      flags: 0,
    },
  ])(
    "a worker that sends %j without end and reads nothing costs the primary a bounded part of memory",
    async (message) => {
      const { program, port, adminPort } = await serveProtocol("flood.js", FLOOD, ["--workers=1"]);
      const client = await FrameClient.connect(port);
      client.send(JSON.stringify(message));
      const rss = () =>
        Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${program.osPid}/status`, "utf8"))?.[1]) / 1024;
      const before = rss();
      const until = performance.now() + 5_000;
      let most = before;
      await eventually(() => {
        most = Math.max(most, rss());
        return performance.now() > until || undefined;
      });
      expect(most - before).toBeLessThan(200);
      expect((await http(adminPort, "/health")).status).toBe(200);
      expect(program.over).toBe(false);
    },
  );
});
