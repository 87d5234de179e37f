/** The steps of the tutorial with the built program: connect, show the tree, kill a connection, read the report. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { http, metric, series } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run, type Served, serveProgram, serveProtocol } from "../../support/program.js";
import { testOnce } from "../../support/test-once.js";
import { eventually } from "../../support/until.js";

describe("one server, in order:", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serveProgram(["--workers=2"], { env: { DROVER_BACKLOG: "77" } });
  });
  afterAll(endAll);

  test("/health, /ready, /tree and /metrics answer over HTTP", async () => {
    const { adminPort, port } = served;
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    expect((await http(adminPort, "/health")).status).toBe(200);
    expect((await http(adminPort, "/ready")).status).toBe(200);
    const tree = JSON.parse((await http(adminPort, "/tree")).body);
    expect(tree).toMatchObject({ pid: "<0.1>", name: "drover" });
    expect(tree.children.map((child: { name: string }) => child.name)).toEqual([
      "admin",
      "worker 1",
      "worker 2",
    ]);
    const metrics = await eventually(async () => {
      const { body } = await http(adminPort, "/metrics");
      return series(body, "drover_frames_received_total") === 1 && body;
    });
    expect(series(metrics, "drover_connections_active")).toBe(1);
    expect(series(metrics, "drover_connections_accepted_total")).toBe(1);
    expect(series(metrics, "drover_bytes_sent_total")).toBe(7);
    expect(series(metrics, "drover_workers", { state: "running" })).toBe(2);
    client.end();
  });

  test("a client's frame comes back as it was sent", async () => {
    const client = await FrameClient.connect(served.port);
    client.socket.write(Buffer.from([0, 5, ...Buffer.from("hello")]));
    expect((await client.receive()).toString()).toBe("hello");
    client.end();
  });

  testOnce(
    "`drover tree` shows the primary, the workers, their servers and the connections with live pids",
    async () => {
      const { program, port } = served;
      const client = await FrameClient.connect(port);
      await client.ask("hello");
      const { stdout, code } = await run(["tree"], { env: { XDG_RUNTIME_DIR: program.dir } });
      expect(code).toBe(0);
      expect(stdout).toMatch(/^<0\.1> drover +one_for_one 5\/60s/m);
      expect(stdout).toMatch(/<0\.2> admin +127\.0\.0\.1:\d+ \+ control socket/);
      expect(stdout).toMatch(/<1\.1> worker 1 \(os \d+\) +up \d+[sm]/);
      expect(stdout).toMatch(/<2\.1> worker 2 \(os \d+\) +up \d+[sm]/);
      expect(stdout).toMatch(/<1\.2> tcp_server +one_for_one 5\/60s/);
      expect(stdout).toMatch(/<1\.3> connections +\d of \d+, temporary, shutdown 2s/);
      expect(stdout).toMatch(/<1\.4> listener +127\.0\.0\.1:\d+ running/);
      expect(stdout).toMatch(
        new RegExp(`<[12]\\.\\d+> echo ready +127\\.0\\.0\\.1:${client.socket.localPort}`),
      );
      for (const osPid of program.workers()) expect(stdout).toContain(`(os ${osPid})`);
      client.end();
    },
  );

  test("`drover kill PID` closes exactly that client, and the supervisor reports it as OTP does", async () => {
    const { program, port } = served;
    const [one, other] = [await FrameClient.connect(port), await FrameClient.connect(port)];
    await Promise.all([one.ask("one"), other.ask("other")]);
    const env = { XDG_RUNTIME_DIR: program.dir };
    const { stdout } = await run(["tree"], { env });
    const pid = new RegExp(`(<[12]\\.\\d+>) echo ready +127\\.0\\.0\\.1:${one.socket.localPort}`).exec(
      stdout,
    )?.[1] as string;
    expect((await run(["kill", pid], { env })).code).toBe(0);
    await one.closed;
    const report = await program.line((line) => line.report === "supervisor");
    expect(report).toMatchObject({
      level: "error",
      supervisor: "connections",
      errorContext: "child_terminated",
      reason: "killed",
      offender: {
        pid,
        mfargs: "{echo,start_link,[]}",
        restart_type: "temporary",
        significant: false,
        shutdown: 2000,
        child_type: "worker",
      },
    });
    expect(await other.ask("still here")).toBe("still here");
    other.end();
  });

  testOnce(
    "`drover config` shows every value and where it comes from, `drover info` what is running",
    async () => {
      const { program, port } = served;
      const env = { XDG_RUNTIME_DIR: program.dir };
      const config = JSON.parse((await run(["config", "--json"], { env })).stdout) as {
        key: string;
        value: unknown;
        origin: string;
      }[];
      const row = (key: string) => config.find((one) => one.key === key);
      expect(row("port")).toMatchObject({ value: port, origin: "flag" });
      expect(row("backlog")).toMatchObject({ value: 77, origin: "environment" });
      expect(row("maxRestarts")).toMatchObject({ value: "auto", origin: "default" });
      const info = JSON.parse((await run(["info", "--json"], { env })).stdout);
      expect(info).toMatchObject({
        name: "drover",
        protocol: "echo",
        address: `127.0.0.1:${port}`,
        osPid: program.osPid,
        transport: process.env.TRANSPORT ?? "handle",
      });
    },
  );

  test("`drover stop` stops it, and says so", async () => {
    const { program } = served;
    const { code, stdout } = await run(["stop"], { env: { XDG_RUNTIME_DIR: program.dir } });
    expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: "stopped" });
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });
});

describe("a server of its own:", () => {
  afterEach(endAll);

  testOnce("a killed connection is reported in SASL's layout with --log-format pretty", async () => {
    const { program, port } = await startPretty();
    const client = await FrameClient.connect(port);
    await client.ask("hello");
    const env = { XDG_RUNTIME_DIR: program.dir };
    const pid = /(<1\.\d+>) echo ready/.exec((await run(["tree"], { env })).stdout)?.[1] as string;
    await run(["kill", pid], { env });
    await program.until(() => program.stdout.includes("child_type,worker}]"));
    expect(program.stdout).toMatch(
      /=SUPERVISOR REPORT==== \d{1,2}-[A-Z][a-z]{2}-\d{4}::\d\d:\d\d:\d\d\.\d{6} ===/,
    );
    expect(program.stdout).toContain("    supervisor: {local,connections}\n");
    expect(program.stdout).toContain("    errorContext: child_terminated\n    reason: killed\n");
    expect(program.stdout).toContain(
      `offender: [{pid,${pid}},{id,undefined},{mfargs,{echo,start_link,[]}},{restart_type,temporary},{significant,false},{shutdown,2000},{child_type,worker}]`,
    );
  });

  async function startPretty() {
    const [port, adminPort] = [await freePort(), await freePort()];
    const program = new Program([
      "start",
      "--host=127.0.0.1",
      `--port=${port}`,
      `--admin-port=${adminPort}`,
      "--workers=1",
      "--log-format=pretty",
    ]);
    await program.until(() => program.stdout.includes(" serves echo"));
    return { program, port };
  }

  test("a handler that throws closes its own connection, leaves a crash report, and the worker goes on", async () => {
    const { program, port, adminPort } = await serveProtocol(
      "protocol.ts",
      `import { defineProtocol, packet } from "drover";
     export default defineProtocol({
       name: "touchy",
       framing: packet(2),
       states: { ready: { frame: (conn, frame) => {
         if (String(frame) === "poison") throw new Error("do not say that");
         conn.send(frame);
       } } },
     });`,
      ["--workers=1"],
    );
    const [victim, other] = [await FrameClient.connect(port), await FrameClient.connect(port)];
    await other.ask("hello");
    const [worker] = program.workers();
    victim.send("poison");
    await victim.closed;
    const crash = await program.line((line) => line.report === "crash");
    expect(JSON.stringify(crash)).toContain("do not say that");
    expect(JSON.stringify(crash)).toContain("protocol.ts");
    await program.line((line) => line.report === "supervisor" && line.errorContext === "child_terminated");
    expect(await other.ask("still here")).toBe("still here");
    expect(program.workers()).toEqual([worker]);
    await eventually(
      async () =>
        (await metric(adminPort, "drover_connections_closed_total", {
          reason: "crash",
        })) === 1,
    );
    other.end();
  });
});
