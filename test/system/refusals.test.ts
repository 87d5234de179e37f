/** Errors before the start: the exit code, and one line that says what to do. */
import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { http } from "../support/admin-http.js";
import { FrameClient } from "../support/frames.js";
import { freePort } from "../support/ports.js";
import { endAll, Program, run, serveProgram } from "../support/program.js";

afterEach(endAll);

/** Runs it and expects a refusal: nothing on stdout, one line on stderr. */
async function refused(args: readonly string[], options?: Parameters<typeof run>[1]) {
  const { code, stdout, stderr } = await run(args, options);
  expect(stdout.split("\n").filter((line) => !line.startsWith("{") && line !== "")).toEqual([]);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return { code, line: stderr.trim() };
}

const free = async () => [
  "--host=127.0.0.1",
  `--port=${await freePort()}`,
  `--admin-port=${await freePort()}`,
  "--workers=1",
];

describe("drover start", () => {
  test("a taken port ends with 69 and names the port", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const { code, line } = await refused([
      "start",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--admin-port=${await freePort()}`,
    ]);
    expect(code).toBe(69);
    expect(line).toContain(`127.0.0.1:${port} is taken`);
    expect(line).toContain("--port");
    other.close();
  });

  test("a taken admin port ends with 69", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const { code, line } = await refused([
      "start",
      "--host=127.0.0.1",
      `--port=${await freePort()}`,
      `--admin-port=${port}`,
      "--workers=1",
    ]);
    expect(code).toBe(69);
    expect(line).toContain(String(port));
    other.close();
  });

  test("an unknown flag ends with 64 and suggests the right one", async () => {
    const { code, line } = await refused(["start", "--prot=1"]);
    expect(code).toBe(64);
    expect(line).toContain("--prot");
    expect(line).toContain("--port");
  });

  test("DROVER_PORT=abc ends with 78 and names it", async () => {
    const { code, line } = await refused(["start"], { env: { DROVER_PORT: "abc" } });
    expect(code).toBe(78);
    expect(line).toContain("DROVER_PORT");
    expect(line).toContain("abc");
  });

  test("a protocol that does not exist ends with 66", async () => {
    expect(await refused(["start", "ehco"])).toMatchObject({
      code: 66,
      line: expect.stringContaining("echo"),
    });
    expect(await refused(["start", "./nowhere.ts"])).toMatchObject({
      code: 66,
      line: expect.stringContaining("./nowhere.ts: no such file"),
    });
  });

  test("a second instance with the same name ends with 69 and does not disturb the first", async () => {
    const { program, port } = await serveProgram();
    const { code, line } = await refused(["start", ...(await free())], {
      env: { XDG_RUNTIME_DIR: program.dir },
    });
    expect(code).toBe(69);
    expect(line).toContain(`already running as OS process ${program.osPid}`);
    const client = await FrameClient.connect(port);
    expect(await client.ask("hello")).toBe("hello");
    client.end();
  });

  test("a stale control socket of a killed instance is taken over", async () => {
    const first = await serveProgram();
    const dir = mkdtempSync(join(tmpdir(), "drover-stale-"));
    await first.stop();
    const env = { XDG_RUNTIME_DIR: dir };
    const one = await serveProgram([], { env });
    one.program.signal("SIGKILL");
    await one.program.exited;
    const two = await serveProgram([], { env });
    expect((await run(["info", "--json"], { env })).stdout).toContain(`"osPid": ${two.program.osPid}`);
  });
});

describe("a protocol of one's own that cannot be served ends with 66 and says where", () => {
  const cases: readonly (readonly [title: string, code: string, says: RegExp])[] = [
    ["a syntax error", `export default {\n  name: "x",,\n};`, /^drover: \.?\/?my\.ts:2:\d+: /],
    ["no default export", `export const x = 1;`, /my\.ts: has no default export/],
    [
      "a default export that is no protocol",
      `export default { hello: 1 };`,
      /my\.ts: TypeError: protocol .*unknown key "hello"/,
    ],
    [
      "an unknown key in a state",
      `import { defineProtocol, packet } from "drover";\n\nexport default defineProtocol({ name: "x", framing: packet(2), states: { a: { frme: () => {} } as any } });`,
      /my\.ts:3:\d+: TypeError: .*states\.a\.frme/,
    ],
    ["an exception while it loads", `throw new Error("no database");`, /my\.ts:1:\d+: Error: no database/],
    [
      "an import that is not there",
      `import "./nothing.js";\nexport default 1;`,
      /my\.ts:1:\d+: .*nothing\.js/,
    ],
    ["an end of the program while it loads", `process.exit(3);`, /my\.ts: ends the program/],
  ];
  for (const [title, code, says] of cases) {
    test(title, async () => {
      const args = ["start", "./my.ts", ...(await free())];
      const { code: exitCode, line } = await refused(args, { files: { "my.ts": code } });
      expect(line).toMatch(says);
      expect(exitCode).toBe(66);
    });
  }
});

describe("other commands", () => {
  test("an unknown command ends with 64 and suggests the right one", async () => {
    expect(await refused(["strat"])).toMatchObject({ code: 64, line: expect.stringContaining("start") });
  });

  test("without a server they end with 69 and say how to start one", async () => {
    expect(await refused(["tree"])).toMatchObject({
      code: 69,
      line: expect.stringContaining("drover start"),
    });
  });

  test("--help lists every command and option, --version the version", async () => {
    const help = await run(["--help"]);
    expect(help.code).toBe(0);
    for (const word of ["start", "tree", "info", "kill", "stop", "config", "--port", "DROVER_", "--shutdown"])
      expect(help.stdout).toContain(word);
    expect((await run(["--version"])).stdout).toMatch(/^drover \d+\.\d+\.\d+\n$/);
  });
});

test("with --port 0 and --admin-port 0 it takes free ports, and says which", async () => {
  const program = new Program([
    "start",
    "--host=127.0.0.1",
    "--port=0",
    "--admin-port=0",
    "--workers=1",
    "--log-format=json",
  ]);
  const { msg } = await program.line((line) => / serves /.test(line.msg ?? ""));
  const [, port, adminPort] = /on 127\.0\.0\.1:(\d+) .*admin on 127\.0\.0\.1:(\d+)$/.exec(msg) ?? [];
  const client = await FrameClient.connect(Number(port));
  expect(await client.ask("hello")).toBe("hello");
  client.end();
  expect((await http(Number(adminPort), "/health")).status).toBe(200);
});
