/** Errors before the start: the exit code, and one line that says what to do. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, Program, run, serveProgram } from "../../support/program.js";
import { testOnce } from "../../support/test-once.js";

afterAll(endAll);

/** Runs it and expects a refusal: no report and no other text on stdout, one line on stderr. */
async function refused(args: readonly string[], options?: Parameters<typeof run>[1]) {
  const { code, stdout, stderr } = await run(args, options);
  expect(stdout).not.toContain('"report"');
  expect(stdout.split("\n").filter((line) => !line.startsWith("{") && line !== "")).toEqual([]);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  return { code, line: stderr.trim() };
}

/** Flags of a free address, unless these flags are given. */
async function free(...given: string[]): Promise<string[]> {
  const flags = [
    "--host=127.0.0.1",
    `--port=${await freePort()}`,
    `--admin-port=${await freePort()}`,
    "--workers=1",
  ];
  const name = (flag: string) => flag.split("=")[0];
  return [...flags.filter((flag) => !given.some((one) => name(one) === name(flag))), ...given];
}

async function asks(port: number, host?: string): Promise<string> {
  const client = await FrameClient.connect(port, host);
  const answer = await client.ask("hello");
  client.end();
  return answer;
}

/** A configuration file with three listeners, the last one on this port. */
async function threeListeners(port: number): Promise<string> {
  const one = (name: string, address: object) => ({ name, protocol: "echo", host: "127.0.0.1", ...address });
  const ports = [await freePort(), await freePort(), port];
  const listeners = ["devices", "ops", "front"].map((name, at) => one(name, { port: ports[at] }));
  return JSON.stringify({ workers: 1, adminPort: await freePort(), listeners }, undefined, 1);
}

describe("drover start", () => {
  test("a port that one of three listeners cannot have ends with 69 and names the listener, also in check", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const files = { "acme.json": await threeListeners(port) };
    const place = "acme.json:21:4: listeners[2].port:";
    const command = readFileSync("/proc/self/cmdline", "utf8")
      .split("\0")
      .slice(0, -1)
      .join(" ")
      .slice(0, 80);
    const taken = `127.0.0.1:${port} is taken by another program: stop it, or choose another port (OS process ${process.pid}: ${command})`;
    expect(await refused(["start", "--config=acme.json"], { files })).toEqual({
      code: 69,
      line: `drover: ${place} listener front: ${taken}`,
    });
    const { code, stdout } = await run(["check", "--config=acme.json"], { files });
    expect(code).toBe(69);
    expect(stdout).toMatch(/ok +listener devices +127\.0\.0\.1:\d+ is free\nok +listener ops +/);
    expect(stdout).toContain(`wrong  listener front    ${place} ${taken}`);
    other.close();
  });

  testOnce(
    "a protocol on the command line beside listeners in a file ends with 64 and names both",
    async () => {
      const files = { "acme.json": await threeListeners(0) };
      expect(await refused(["start", "echo", "--config=acme.json"], { files })).toEqual({
        code: 64,
        line: 'drover: the argument "echo" and acme.json:4:2: listeners both name protocols: remove one of them',
      });
    },
  );

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

  test("as a worker of another cluster, as in pm2's cluster mode, it ends with 78 and says what to do", async () => {
    const dir = mkdtempSync(join(tmpdir(), "drover-cluster-"));
    const main = join(dir, "cluster.mjs");
    writeFileSync(
      main,
      `import cluster from "node:cluster";
      cluster.setupPrimary({ exec: ${JSON.stringify(MAIN)}, args: ["start"] });
      cluster.fork().on("exit", (code) => process.exit(code));`,
    );
    const { code, line } = await refused([], { main });
    expect(code).toBe(78);
    expect(line).toBe("drover: drover runs its own workers: use fork mode, one instance");
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
    expect(line).toContain(`127.0.0.1:${port}: the address is taken by another program`);
    expect(line).toContain("--admin-port");
    other.close();
  });

  testOnce("a folder in which others could replace the control socket ends with 69", async () => {
    const open = mkdtempSync(join(tmpdir(), "drover-open-"));
    onTestFinished(() => rmSync(open, { recursive: true }));
    chmodSync(open, 0o777);
    const args = await free(`--control=${join(open, "drover.sock")}`);
    const { code, line } = await refused(["start", ...args]);
    expect([code, line]).toEqual([69, expect.stringContaining("other users can replace the socket in it")]);
    const checked = await run(["check", ...args]);
    expect([checked.code, checked.stdout]).toEqual([
      69,
      expect.stringMatching(/^wrong +control socket +.*other users can replace the socket in it/m),
    ]);
    chmodSync(open, 0o755);
    expect((await run(["check", ...args])).code).toBe(0);
  });

  test("a host name without an address ends with 69, also in check", async () => {
    const args = await free("--host=no-such-host.invalid");
    const says = /the host name no-such-host\.invalid (has no address|cannot be resolved now): .*--host/;
    const [start, { code, stdout }] = await Promise.all([
      refused(["start", ...args]),
      run(["check", ...args]),
    ]);
    expect(start).toEqual({ code: 69, line: expect.stringMatching(says) });
    expect([code, stdout]).toEqual([69, expect.stringMatching(says)]);
  });

  testOnce("an unknown flag ends with 64 and suggests the right one", async () => {
    const { code, line } = await refused(["start", "--prot=1"]);
    expect(code).toBe(64);
    expect(line).toContain("--prot");
    expect(line).toContain("--port");
  });

  testOnce("DROVER_PORT=abc ends with 78 and names it", async () => {
    const { code, line } = await refused(["start"], { env: { DROVER_PORT: "abc" } });
    expect(code).toBe(78);
    expect(line).toContain("DROVER_PORT");
    expect(line).toContain("abc");
  });

  testOnce("a protocol that does not exist ends with 66", async () => {
    const [builtIn, own] = await Promise.all([
      refused(["start", "ehco"]),
      refused(["start", "./nowhere.ts"]),
    ]);
    expect(builtIn).toMatchObject({ code: 66, line: expect.stringContaining("echo") });
    expect(own).toMatchObject({ code: 66, line: expect.stringContaining("./nowhere.ts: no such file") });
  });
});

describe("one server after the other under one name, in order:", () => {
  const dir = mkdtempSync(join(tmpdir(), "drover-name-"));
  const env = { XDG_RUNTIME_DIR: dir };
  let [one, two]: (Program | undefined)[] = [];
  let port = 0;
  afterAll(async () => {
    await endAll();
    rmSync(dir, { recursive: true });
  });

  test("with --port 0 and --admin-port 0 it takes free ports, and says which", async () => {
    one = new Program(
      ["start", "--host=127.0.0.1", "--port=0", "--admin-port=0", "--workers=1", "--log-format=json"],
      { env },
    );
    const { msg } = await one.line((line) => / serves /.test(line.msg ?? ""));
    const found = /on 127\.0\.0\.1:(\d+) .*admin on 127\.0\.0\.1:(\d+)$/.exec(msg)?.slice(1).map(Number);
    const [, adminPort = 0] = ([port = 0] = found ?? []);
    expect(await asks(port)).toBe("hello");
    expect((await http(adminPort, "/health")).status).toBe(200);
  });

  test("a second instance with the same name ends with 69 and does not disturb the first", async () => {
    const { code, line } = await refused(["start", ...(await free())], { env });
    expect(code).toBe(69);
    expect(line).toContain(`already running as OS process ${one?.osPid}`);
    expect(await asks(port)).toBe("hello");
  });

  test("a stale control socket of a killed instance is taken over", async () => {
    one?.signal("SIGKILL");
    await one?.exited;
    ({ program: two, port } = await serveProgram(["--host=localhost", "--workers=1"], { env }));
    expect((await run(["info", "--json"], { env })).stdout).toContain(`"osPid": ${two.osPid}`);
  });

  test("--host takes a host name", async () => {
    expect(await asks(port, "localhost")).toBe("hello");
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
  testOnce("an unknown command ends with 64 and suggests the right one", async () => {
    expect(await refused(["strat"])).toMatchObject({ code: 64, line: expect.stringContaining("start") });
  });

  test("without a server they end with 69 and say how to start one", async () => {
    expect(await refused(["tree"])).toMatchObject({
      code: 69,
      line: expect.stringContaining("drover start"),
    });
  });

  testOnce("--help lists every command and option, --version the version", async () => {
    const [help, version] = await Promise.all([run(["--help"]), run(["--version"])]);
    expect(help.code).toBe(0);
    for (const word of ["start", "tree", "info", "kill", "stop", "config", "--port", "DROVER_", "--shutdown"])
      expect(help.stdout).toContain(word);
    expect(version.stdout).toMatch(/^drover \d+\.\d+\.\d+\n$/);
  });
});

testOnce("check names the flag of a taken address: --port, or --admin-port", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as { port: number };
  const found = async (...args: string[]) => {
    const { stdout } = await run(["check", "--json", ...(await free(...args))]);
    return JSON.parse(stdout).findings.find(({ verdict }: { verdict: string }) => verdict === "wrong").text;
  };
  const taken = `127.0.0.1:${port} is taken by another program: stop it, or choose another`;
  const holder = `(OS process ${process.pid}: `;
  const [main, admin] = await Promise.all([found(`--port=${port}`), found(`--admin-port=${port}`)]);
  expect(main).toContain(`${taken} --port ${holder}`);
  expect(admin).toContain(`${taken} --admin-port ${holder}`);
});
