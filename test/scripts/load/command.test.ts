// `npm run load` as people start it: several processes, exit codes, and how it ends.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { echo, framed, refusedPort, type TestServer } from "../servers.js";

/** Processes start slowly where many run. */
const PATIENCE = { timeout: 60_000 };

describe("the command", { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "drover-load-"));
  const program = join(folder, "load.mjs");
  // Not through scripts/run.mjs: it writes into dist/, where another run could be reading.
  beforeAll(async () => {
    const entryPoints = [join(import.meta.dirname, "../../../scripts/load/load.ts")];
    await build({
      entryPoints,
      outfile: program,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "error",
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function start(...args: (string | number)[]) {
    const child = spawn(process.execPath, [program, ...args.map(String)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { child, ended: ended.then(([out, err, [code]]) => ({ out, err, code })) };
  }

  /** The generator processes of a command that has put them to work on `server`. */
  async function working(child: ChildProcess, server: TestServer, connections: number): Promise<number[]> {
    await expect
      .poll(() => server.sockets.filter((socket) => socket.bytesRead > 0).length, PATIENCE)
      .toBe(connections);
    return execFileSync("pgrep", ["-P", `${child.pid}`], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map(Number);
  }

  function lives(pid: number): boolean {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  }

  it("adds up what its processes have counted, to the frame", async () => {
    await using server = await echo();
    const args = ["--connections", 7, "--frames", 1_001, "--processes", 3, "--json"];
    const { out, err, code } = await start("--port", server.port, ...args).ended;
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      frames: { sent: 1_001, echoed: 1_001 },
      connections: { asked: 7, opened: 7 },
      errors: { total: 0 },
    });
    // A line each second that it takes, on a busy machine.
    expect({ err: err.replace(/^( +\d+ s |opening ).*\n/gm, ""), code }).toEqual({ err: "", code: 0 });
    expect(server.sockets).toHaveLength(7);
  });

  it.each([1, 2])(
    "prints a table, and ends with 1 if there was an error, from %i processes",
    async (processes) => {
      await using server = await framed(
        (socket, frame, index) => void (index < 3 ? socket.write(frame) : socket.end()),
      );
      const args = ["--connections", 4, "--processes", processes];
      const faulty = await start("--port", server.port, ...args).ended;
      expect(faulty.out).toMatch(/connections +4 of 4 opened\n +frames +16 sent, 12 echoed, 4 unanswered\n/);
      expect(faulty.out).toMatch(/errors +4 closed early by the server\n +such as +connection \d: closed/);
      expect(faulty.code).toBe(1);
      const refused = await start("--port", await refusedPort(), ...args).ended;
      expect(refused.out).toMatch(/errors +4 connect refused\n.*is the server running\?/);
      expect(refused.code).toBe(1);
    },
  );

  it("ends with 64 and one sentence if it was called wrongly", async () => {
    const { out, err, code } = await start("--prot", 2222).ended;
    expect({ out, err, code }).toEqual({
      out: "",
      err: "load: unknown option --prot: did you mean --port?\n",
      code: 64,
    });
    expect(await start("--help").ended).toMatchObject({
      code: 0,
      err: "",
      out: expect.stringContaining("--window N"),
    });
  });

  it.each([1, 2])(
    "ends early on Ctrl-C with the result so far and nothing left behind, from %i processes",
    async (processes) => {
      await using server = await echo();
      const { child, ended } = start(
        "--port",
        server.port,
        "--connections",
        4,
        "--duration",
        "1h",
        "--processes",
        processes,
      );
      const generators = processes > 1 ? await working(child, server, 4) : [];
      expect(generators).toHaveLength(processes > 1 ? processes : 0);
      if (processes === 1) await expect.poll(() => server.sockets.length, PATIENCE).toBe(4);
      // As a terminal does it: the whole group gets the signal.
      for (const pid of [...generators, child.pid!]) process.kill(pid, "SIGINT");
      const { out, code } = await ended;
      expect(out).toMatch(/errors +none/);
      expect(code).toBe(0);
      expect(generators.filter(lives)).toEqual([]);
    },
  );

  it("leaves no generator process behind when it is killed itself", async () => {
    await using server = await echo();
    const { child, ended } = start(
      "--port",
      server.port,
      "--connections",
      4,
      "--duration",
      "1h",
      "--processes",
      2,
    );
    expect(await working(child, server, 4)).toHaveLength(2);
    child.kill("SIGKILL");
    // Fulfilled once nobody has the output pipe open any more: a pid would stay for as long as init does not reap it.
    await ended;
    await expect.poll(() => server.sockets.every((socket) => socket.closed), PATIENCE).toBe(true);
  });

  it("ends with 69 if the admin address does not answer", async () => {
    const { err, code } = await start("--admin", `http://127.0.0.1:${await refusedPort()}`).ended;
    expect(err).toMatch(/^load: http:.* does not answer: /);
    expect(code).toBe(69);
  });

  // These wait for 2 to 6 s each.
  it.concurrent("tells once a second how many are open while they are being opened", async () => {
    // It accepts, and never says a word of TLS.
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const { ended } = start(
      "--port",
      port,
      "--connections=6",
      "--processes=2",
      "--tls",
      "--connect-timeout=1500ms",
    );
    const { err } = await ended;
    silent.close();
    expect(err).toMatch(/^opening 0 of 6 connections$/m);
  });

  it.concurrent("counts a generator process that dies as an error, and finishes with the others", async () => {
    await using server = await echo();
    const { child, ended } = start(
      "--port",
      server.port,
      "--connections",
      4,
      "--duration",
      "4s",
      "--processes",
      2,
      "--json",
    );
    const [first] = await working(child, server, 4);
    process.kill(first!, "SIGKILL");
    const { out, code } = await ended;
    const result = JSON.parse(out);
    expect(result.errors).toMatchObject({ total: 1, generator: 1 });
    expect(result.samples[0].what).toBe("ended by SIGKILL");
    expect(result.frames.echoed).toBeGreaterThan(0);
    expect(code).toBe(1);
  });

  it.concurrent("ends with 1 and the line that failed when what was expected does not hold", async () => {
    let delayMs = 0;
    await using server = await framed((socket, frame) => {
      if (delayMs > 0 && socket === server.sockets.at(-1)) setTimeout(() => socket.write(frame), delayMs);
      else socket.write(frame);
    });
    const expected = ["--expect", "p99<3s,errors=0,rate>10"];
    const args = [
      "--port",
      server.port,
      "--mode",
      "rate",
      "--rate",
      100,
      "--connections",
      4,
      "--duration",
      "1s",
    ];
    const quick = await start(...args, ...expected).ended;
    expect(quick.out).toMatch(/expected +p99<3s: yes\n +expected +errors=0: yes\n/);
    expect(quick.code).toBe(0);
    delayMs = 4_000;
    const slow = await start(...args, ...expected, "--processes", 2).ended;
    expect(slow.err).toMatch(/load: expected p99<3s, but it was \d+\.?\d* ms\n/);
    expect(slow.code).toBe(1);
  });

  it.concurrent("writes a page, and a line each second where there is no terminal", async () => {
    await using server = await echo();
    const page = join(folder, "load.html");
    const { err, code } = await start("--port", server.port, "--duration", "2500ms", "--html", page).ended;
    expect(err.trimEnd().split("\n").length).toBeGreaterThan(1);
    // On a busy machine lines of the opening come first.
    expect(err).toMatch(/^ +1 s +[\d,]+ frames\/s +p99 .* 100 open +0 errors$/m);
    expect(readFileSync(page, "utf8")).toContain(`<title>Load test of 127.0.0.1 port ${server.port}</title>`);
    expect(code).toBe(0);
  });
});
