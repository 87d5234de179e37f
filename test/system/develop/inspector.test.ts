/** `--inspect`: breakpoints in a worker's TypeScript bind and hold, however short the watchdog is. */
import { afterAll, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { InspectorClient } from "../../support/inspector-client.js";
import { freePort } from "../../support/ports.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

/** How long a breakpoint holds: longer than watchdog, its kill by the thread, and log of the stack together. */
const HOLD = Number(process.env.HOLD_MS ?? 8_000);

const FILES = {
  "answer.ts": `interface Answer { readonly text: string }

export function answer(text: string): Answer {
  type Unused = { a: 1 };
  return { text: text.toUpperCase() };
}
`,
  "shout.ts": `import { defineProtocol, packet } from "drover";
import { answer } from "./answer.ts";

interface Data { count: number }

export default defineProtocol({
  name: "shout",
  framing: packet(2),
  data: (): Data => ({ count: 0 }),
  states: {
    ready: {
      frame: (conn, frame) => {
        conn.data.count++;
        if (String(frame) === "debugger") debugger;
        const { text } = answer(String(frame));
        conn.send(text);
      },
    },
  },
});
`,
};

async function inspected(...args: string[]) {
  const port = await freePort();
  const served = await serveProgram(["./shout.ts", `--inspect=${port}`, ...args], { files: FILES });
  const url = async (worker: number) => {
    const text = `worker ${worker} can be debugged at `;
    return (await served.program.line(({ msg }) => String(msg).startsWith(text))).msg.slice(text.length);
  };
  return { ...served, inspector: port, url };
}

// The first one waits for the time of the breakpoint.
test.concurrent("a breakpoint in a .ts handler of a worker binds, and holds longer than watchdog and guardian would wait", async () => {
  const { program, port, inspector, url } = await inspected("--workers=1", "--watchdog=2s");
  expect(await url(1)).toMatch(new RegExp(`^ws://127\\.0\\.0\\.1:${inspector}/[0-9a-f-]{36}$`));
  const [worker] = program.workers();
  const client = await FrameClient.connect(port);
  expect(await client.ask("hello")).toBe("HELLO");
  const inspectorClient = await InspectorClient.attach(inspector);
  expect(await inspectorClient.breakAt("shout.ts", 13)).toEqual({ file: "shout.ts", line: 13 });
  expect(await inspectorClient.breakAt("answer.ts", 5)).toEqual({ file: "answer.ts", line: 5 });
  const answer = client.ask("hello");
  expect(await inspectorClient.paused()).toEqual({ file: "shout.ts", line: 13 });
  await new Promise((resolve) => setTimeout(resolve, HOLD));
  expect(inspectorClient.events.filter(({ method }) => method === "Debugger.resumed")).toEqual([]);
  inspectorClient.events.length = 0;
  await inspectorClient.send("Debugger.resume");
  await eventually(() => inspectorClient.events.some(({ method }) => method === "Debugger.paused"));
  await inspectorClient.send("Debugger.resume");
  expect(await answer).toBe("HELLO");
  expect(program.workers()).toEqual([worker]);
  const said = program.lines.filter(({ level }) => level !== "info").map(({ msg }) => String(msg));
  // On a busy machine the loop may really stand for a moment, but not for as long as the breakpoint has held.
  const blocked = (msg: string) => Number(/event loop blocked for (\d+) ms/i.exec(msg)?.[1] ?? HOLD);
  expect(said.filter((msg) => blocked(msg) > HOLD / 2)).toEqual([]);
  // Its breakpoints hold no longer; one that has gone leaves nothing standing.
  inspectorClient.events.length = 0;
  const last = client.ask("debugger");
  await eventually(() => inspectorClient.events.some(({ method }) => method === "Debugger.paused"));
  inspectorClient.detach();
  expect(await last).toBe("DEBUGGER");
  await program.line(({ msg }) => msg === "debugger detached from worker 1");
});

test.concurrent("each worker has its own port, which a replacement takes over, and a stop does not wait for a debugger", async () => {
  const { program, adminPort, inspector, url } = await inspected("--workers=2");
  const targets = await Promise.all([1, 2].map((n) => InspectorClient.target(inspector + n - 1)));
  expect(targets.map(({ webSocketDebuggerUrl }) => webSocketDebuggerUrl)).toEqual([
    await url(1),
    await url(2),
  ]);
  const first = await InspectorClient.attach(inspector + 1);
  await program.line(({ msg }) => msg === "debugger attached to worker 2");
  const { workers } = JSON.parse((await http(adminPort, "/info")).body);
  process.kill(workers[1].osPid, "SIGKILL");
  await eventually(() => first.closed);
  const second = await eventually(() => InspectorClient.attach(inspector + 1).catch(() => undefined));
  expect((await second.send("Runtime.evaluate", { expression: "process.pid" })).result.value).not.toBe(
    workers[1].osPid,
  );
  program.signal("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
  expect(program.lines.filter(({ msg }) => /Killed worker/.test(msg))).toEqual([]);
});
