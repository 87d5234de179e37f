/** The admin token of the built program: its sources, and which users can read it. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { ask, post } from "../../admin/support.js";
import { listensOn } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, run, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const TOKEN = "t0ken-".padEnd(40, "x");

function environmentOf(osPid: number): string {
  return readFileSync(`/proc/${osPid}/environ`, "utf8") + readFileSync(`/proc/${osPid}/cmdline`, "utf8");
}

/** In order: the last test stops the server. */
describe("a token that was made at the start", () => {
  let served: Awaited<ReturnType<typeof serveProgram>>;
  let token: string;
  beforeAll(async () => {
    served = await serveProgram(["--workers=1"]);
    token = (await ask({ socketPath: served.control }, { path: "/token" })).json.token;
  });
  afterAll(endAll);

  it("is nowhere to be read but on the control socket", async () => {
    const { program, adminPort, control } = served;
    expect(token).toMatch(/^[\w-]{43}$/);
    const texts = await Promise.all(
      ["/", "/config", "/info", "/tree", "/token", "/metrics"].map((path) =>
        ask({ port: adminPort }, { path }),
      ),
    );
    const env = { DROVER_CONTROL: control };
    const printed = await Promise.all([["config", "--verbose"], ["info"]].map((args) => run(args, { env })));
    const all = [...texts.map(({ text }) => text), program.stdout, program.stderr, JSON.stringify(printed)];
    for (const text of all) expect(text).not.toContain(token);
  });

  it("drover page prints it with the address, in the part that a browser keeps for itself", async () => {
    const { stdout, code } = await run(["page"], { env: { DROVER_CONTROL: served.control } });
    expect([stdout, code]).toEqual([`http://127.0.0.1:${served.adminPort}/#token=${token}\n`, 0]);
  });

  it("SIGUSR1 opens no inspector, in no OS process of the program", async () => {
    const { program, adminPort } = served;
    const [worker] = program.workers();
    program.signal("SIGUSR1");
    process.kill(worker as number, "SIGUSR1");
    // Both have answered since, so the signal was delivered.
    await eventually(async () => (await ask({ port: adminPort }, { path: "/health" })).status === 200);
    await eventually(async () => {
      const { json } = await ask({ port: adminPort }, { path: "/tree" });
      return json.children.every(({ detail }: { detail: string }) => detail !== "not answering");
    });
    expect(program.stderr).not.toMatch(/debugger|inspector/i);
    for (const osPid of [program.osPid, worker as number]) expect(listensOn(osPid, 9229)).toBe(false);
  });

  it("opens what changes something, and no other does", async () => {
    const { program, adminPort } = served;
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
    expect((await post({ port: adminPort }, "/stop", {}, bearer(TOKEN))).status).toBe(401);
    expect((await post({ port: adminPort }, "/stop", {}, bearer(token))).status).toBe(202);
    expect((await program.exited).code).toBe(0);
  });
});

describe("a given token", () => {
  let served: Awaited<ReturnType<typeof serveProgram>>;
  beforeAll(async () => {
    served = await serveProgram(["--workers=1", "--admin-host=0.0.0.0"], {
      env: { DROVER_ADMIN_TOKEN: TOKEN },
    });
  });
  afterAll(endAll);

  it("comes from the environment, which workers do not inherit", async () => {
    const { program, control } = served;
    expect((await ask({ socketPath: control }, { path: "/token" })).json).toEqual({ token: TOKEN });
    expect(program.workers()).not.toEqual([]);
    for (const worker of program.workers()) expect(environmentOf(worker)).not.toContain(TOKEN);
    expect(program.stdout).not.toContain(TOKEN);
  });

  it("comes from a file, with a warning when every user can read that", async () => {
    const dir = mkdtempSync(join(tmpdir(), "drover-token-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const serveWith = (mode: number) => {
      const file = join(dir, `token-${mode.toString(8)}`);
      writeFileSync(file, `${TOKEN}\n`);
      chmodSync(file, mode);
      return serveProgram(["--workers=1", `--admin-token-file=${file}`]);
    };
    const [closed, open] = await Promise.all([serveWith(0o600), serveWith(0o644)]);
    const json = async (socketPath: string) => (await ask({ socketPath }, { path: "/token" })).json;
    expect(await json(closed.control)).toEqual({ token: TOKEN });
    expect(closed.program.stdout).not.toContain("is readable by every user");
    await open.program.line(({ msg }) => /token file .* is readable by every user/.test(msg));
    expect(await json(open.control)).toEqual({ token: TOKEN });
    expect(open.program.stdout).not.toContain(TOKEN);
  });

  it.each([
    [{ DROVER_ADMIN_TOKEN: "hunter2" }, /DROVER_ADMIN_TOKEN: expected a token of at least 32 printable/],
    [{ DROVER_ADMIN_TOKEN: "" }, /DROVER_ADMIN_TOKEN: expected a token/],
    [{ DROVER_ADMIN_TOKEN: "a token with spaces which is long enough" }, /without spaces/],
    [{ DROVER_ADMIN_TOKEN_FILE: "/nowhere" }, /admin token file \/nowhere: no such file/],
    [{ DROVER_ADMIN_TOKEN_FILE: "/dev/zero" }, /is not a regular file/],
    [{ DROVER_ADMIN_TOKEN_FILE: "/dev/null", DROVER_ADMIN_TOKEN: TOKEN }, /are both set: remove one/],
    [
      { DROVER_ADMIN_TOKN: TOKEN },
      /unknown environment variable DROVER_ADMIN_TOKN: did you mean DROVER_ADMIN_TOKEN/,
    ],
  ])("is refused when it is none, and never repeated: case %#", async (env, message) => {
    const { code, stdout, stderr } = await run(["start", `--port=${await freePort()}`], {
      env: env as never,
    });
    expect([code, stderr.trimEnd()]).toEqual([78, expect.stringMatching(message)]);
    expect(stdout + stderr).not.toMatch(/hunter2|a token with|t0ken/);
  });

  it("a start that others could reach is refused without a token, and needs it for reading with one", async () => {
    const ports = [`--port=${await freePort()}`, `--admin-port=${await freePort()}`];
    const refused = await run(["start", "--admin-host=0.0.0.0", ...ports]);
    expect([refused.code, refused.stderr]).toEqual([78, expect.stringMatching(/--admin-token-file/)]);
    const { adminPort } = served;
    const status = async (path: string, headers = {}) =>
      (await ask({ port: adminPort }, { path, headers })).status;
    expect([await status("/metrics"), await status("/ready"), await status("/tree")]).toEqual([
      200, 200, 401,
    ]);
    expect(await status("/tree", { authorization: `Bearer ${TOKEN}` })).toBe(200);
  });
});
