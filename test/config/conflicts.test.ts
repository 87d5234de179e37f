import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Sources } from "../../src/config/config.js";
import { folderWith, load, refusal } from "./support.js";

describe("one port for both servers", () => {
  it.each<[Sources, number, string]>([
    [{ argv: ["--port=9464"] }, 64, "--port and --admin-port (default) are both 9464"],
    [{ argv: ["--admin-port=2222"] }, 64, "--port (default) and --admin-port are both 2222"],
    [{ env: { DROVER_ADMIN_PORT: "2222" } }, 78, "--port (default) and DROVER_ADMIN_PORT are both 2222"],
    [{ argv: ["--port=1"], env: { DROVER_ADMIN_PORT: "1" } }, 64, "--port and DROVER_ADMIN_PORT are both 1"],
    [{ protocolDefaults: { port: 9464 } }, 78, "protocol: port and --admin-port (default) are both 9464"],
  ])("%j is refused", async (sources, exitCode, message) => {
    const [code, found] = await refusal(sources);
    expect(code).toBe(exitCode);
    expect(found.startsWith(`${message}, and :: and 127.0.0.1 overlap: choose another port`)).toBe(true);
    expect(found).not.toContain("\n");
  });

  it("in a file is refused with its line", async () => {
    const cwd = folderWith({ "drover.json": '{"port": 7,\n "adminPort": 7}' });
    const [exitCode, message] = await refusal({ cwd, argv: ["--config=drover.json"] });
    expect(exitCode).toBe(78);
    expect(message).toMatch(/^drover.json:1:2: port and drover.json:2:2: adminPort are both 7/);
  });

  it.each([
    ["127.0.0.1", "127.0.0.1", true],
    ["::", "::1", true],
    ["0.0.0.0", "127.0.0.1", true],
    ["0.0.0.0", "example.org", true],
    ["localhost", "127.0.0.1", true],
    ["::1", "localhost", true],
    ["10.0.0.1", "::", true],
    ["10.0.0.1", "127.0.0.1", false],
    ["0.0.0.0", "::1", false],
    ["10.0.0.1", "localhost", false],
  ])("on %s and %s: a conflict is %s", async (host, adminHost, conflict) => {
    const argv = ["--port=7", "--admin-port=7", `--host=${host}`, `--admin-host=${adminHost}`];
    if (conflict) expect((await refusal({ argv }))[0]).toBe(64);
    else await expect(load({ argv })).resolves.toBeDefined();
  });

  it("is none when both take any free one", async () => {
    await expect(load({ argv: ["--port=0", "--admin-port=0"] })).resolves.toBeDefined();
  });
});

describe("more connections than descriptors", () => {
  const argv = ["--workers=2", "--max-connections=2049"];

  it("is refused, naming both places", async () => {
    expect(await refusal({ argv, maxDescriptors: 1024 })).toEqual([
      64,
      "--max-connections: 2049 connections are more than --workers: 2 × 1024 file descriptors allow: " +
        "raise the limit (ulimit -n) or lower the number",
    ]);
    const env = { DROVER_MAX_CONNECTIONS: "2049", DROVER_WORKERS: "2" };
    expect((await refusal({ env, maxDescriptors: 1024 }))[0]).toBe(78);
    expect((await refusal({ env, argv: ["--workers=1"], maxDescriptors: 1024 }))[0]).toBe(64);
  });

  it("is allowed up to the limit, when the limit is not known, and for auto", async () => {
    await expect(load({ argv, maxDescriptors: 1025 })).resolves.toBeDefined();
    await expect(load({ argv })).resolves.toBeDefined();
    await expect(load({ maxDescriptors: 1 })).resolves.toBeDefined();
  });
});

describe("a control socket whose path is too long", () => {
  it("is refused where it was written, counted in bytes", async () => {
    const [exitCode, message] = await refusal({ argv: [`--control=/${"ü".repeat(54)}`] });
    expect(exitCode).toBe(64);
    expect(message).toMatch(/^--control: the path of a socket is at most 10[37] bytes, got 109: \/ü/);
    await expect(load({ argv: [`--control=/${"x".repeat(102)}`] })).resolves.toBeDefined();
  });

  it("is refused when it follows from the name and the runtime directory, with advice", async () => {
    const runtime = join(folderWith(), "x".repeat(90));
    mkdirSync(runtime);
    const [exitCode, message] = await refusal({ env: { XDG_RUNTIME_DIR: runtime }, argv: ["--port=1"] });
    expect(exitCode).toBe(78);
    expect(message).toMatch(
      /^--control \(default\): .*: set a shorter path with --control or DROVER_CONTROL$/,
    );
  });
});

describe("a watchdog that would kill workers that are well", () => {
  it.each(["1ms", "1s", "1999"])("%s is refused", async (given) => {
    expect(await refusal({ argv: ["--watchdog", given] })).toEqual([
      64,
      expect.stringMatching(/^--watchdog: .* is too short .*: use at least 2s, or 0 to disable$/),
    ]);
  });

  it.each(["0", "2s"])("%s is not", async (given) => {
    await expect(load({ argv: ["--watchdog", given] })).resolves.toBeDefined();
  });
});
