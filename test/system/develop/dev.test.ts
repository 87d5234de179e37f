/** `drover dev`: a restart after each save that changes the code, and none after a mistake. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { InspectorClient } from "../../support/inspector-client.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterAll(endAll);

const answer = (number: number) =>
  `interface Unused { a: 1 }\n\nexport const answer = (text: string): string => {\n  return \`${number} \${text}\`;\n};\n`;

const PROTOCOL = `import { defineProtocol, lines } from "drover";
import { answer } from "./lib/answer.ts";
export default defineProtocol({
  name: "answers",
  framing: lines(),
  states: {
    on: {
      frame: (conn, line) => conn.send(answer(line)),
      shutdown: (conn) => conn.send("going down"),
    },
  },
});
`;

test("a save restarts the worker, tells its clients, and a mistake leaves the old version", async () => {
  const [port, adminPort, inspector] = [await freePort(), await freePort(), await freePort()];
  const addresses = ["--host=127.0.0.1", `--port=${port}`, `--admin-port=${adminPort}`];
  const program = new Program(
    // Above the file, below flags.
    ["dev", "./p.ts", ...addresses, `--inspect=${inspector}`, "--log-format=json", "--config=drover.json"],
    { files: { "p.ts": PROTOCOL, "drover.json": '{ "workers": 3, "logLevel": "warn" }' }, mkdir: "lib" },
  );
  const save = (text: string) => writeFileSync(join(program.dir, "lib/answer.ts"), text);
  const ask = async (text: string) => {
    const client = await Client.connect(port);
    await eventually(() => client.write(`${text}\n`) && client.bytes.includes("\n"));
    await client.close();
    return client.bytes.toString().split("\n")[0];
  };
  save(answer(1));
  await program.line(({ msg }) => / serves answers on .* with 1 worker/.test(msg));
  expect(await ask("a")).toBe("1 a");
  await program.line(({ level, msg }) => level === "debug" && msg === "connection closed");

  const held = await Client.connect(port);
  held.write("hello\n");
  await eventually(() => held.bytes.includes("1 hello\n"));
  const attached = await InspectorClient.attach(inspector);
  await attached.breakAt("answer.ts", 4);
  const stands = await Client.connect(port);
  stands.write("stands\n");
  expect(await attached.paused()).toEqual({ file: "answer.ts", line: 4 });
  // A worker that stands at a breakpoint is restarted as well.
  save(answer(2));
  await program.line(({ msg }) => /^changed \.\/lib\/answer\.ts: serves again after \d+ ms$/.test(msg));
  await held.end();
  expect(held.bytes.toString()).toBe("1 hello\ngoing down\n");
  expect(await ask("b")).toBe("2 b");
  const { workers } = JSON.parse((await http(adminPort, "/info")).body);
  expect(workers).toMatchObject([{ worker: 1, state: "running", restarts: 0 }]);

  save("export const answer = (text: string => 1;\n");
  const mistake = await program.line(({ msg }) => /the old version goes on until the next save$/.test(msg));
  expect(mistake).toMatchObject({ level: "error", msg: expect.stringMatching(/^lib\/answer\.ts:1:37: /) });
  expect(await ask("c")).toBe("2 c");
  save("throw new Error('not yet');\n");
  await program.line(({ msg }) => /not yet: the old version goes on/.test(msg));
  save(answer(2));
  await program.line(({ msg }) => msg === "as before the mistake: nothing to restart");
  save(answer(3));
  await program.until(() => program.lines.filter(({ msg }) => /serves again/.test(msg)).length === 2);
  expect(await ask("d")).toBe("3 d");

  program.signal("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
});

test("with a protocol that does not compile it ends as `start` does", async () => {
  const broken = new Program(["dev", "./p.ts", "--port=0", "--admin-port=0"], {
    files: { "p.ts": "export default 1 +;\n" },
  });
  expect((await broken.exited).code).toBe(66);
  expect(broken.stderr).toMatch(/p\.ts:1:19: /);
});
