import { describe, expect, it } from "vitest";
import { ConfigError, type Environment, parseFlags, showDuration } from "../../src/config/config.js";
import { nearest } from "../../src/config/options/suggest.js";
import { type Duration, toMs } from "../../src/otp/time/duration.js";
import { load, refusal } from "./support.js";

const PORT = "expected a whole number from 0 to 65535, got";
const DURATION = "milliseconds, or a number with ms, s, m or h such as 2m";

describe("flags", () => {
  it.each([
    [["--prot", "1"], "unknown option --prot: did you mean --port?"],
    [["--Port=1"], "unknown option --Port: did you mean --port?"],
    [["--max-conection", "1"], "unknown option --max-conection: did you mean --max-connections?"],
    [["--maxConnections=1"], "unknown option --maxConnections: did you mean --max-connections?"],
    [["--max-conn=1"], "unknown option --max-conn: did you mean --max-connections?"],
    [["--jsn"], "unknown option --jsn: did you mean --json?"],
    [["--hlep"], "unknown option --hlep: did you mean --help?"],
    [["--frobnicate"], "unknown option --frobnicate"],
    [["--no-json"], "unknown option --no-json: did you mean --json?"],
    [["--__proto__", "1"], "unknown option --__proto__"],
    [["--toString"], "unknown option --toString"],
    [["-p", "1"], "unknown option -p"],
    [["--="], "unknown option --="],
    [["--port"], "--port needs a value: --port PORT"],
    [["--port="], "--port needs a value: --port PORT"],
    [["--port", ""], "--port needs a value: --port PORT"],
    [["--port", "--host", "::"], "--port needs a value: --port PORT"],
    [["--port", "--"], "--port needs a value: --port PORT"],
    [["--workers"], "--workers needs a value: --workers N|auto"],
    [["--json=1"], "--json takes no value"],
    [["--help=yes"], "--help takes no value"],
    [["--port", "1", "--port=2"], "--port is given twice: 1 and 2"],
    [["--shutdown=2s", "--shutdown=3s"], "--shutdown is given twice: 2s and 3s"],
  ])("%j is refused", async (argv, message) => {
    expect(await refusal({ argv, switches: ["json"] })).toEqual([64, message]);
  });

  it("--port 1 and --port=1 are the same", async () => {
    expect((await load({ argv: ["--port", "1"] })).config.port).toBe(1);
    expect((await load({ argv: ["--port=1"] })).config.port).toBe(1);
  });

  it("the same value twice is no contradiction", async () => {
    expect((await load({ argv: ["--shutdown=2s", "--shutdown", "2000"] })).config.shutdown).toBe(2000);
  });

  it("-- ends the flags", async () => {
    const { positionals, config } = await load({ argv: ["start", "--", "--port", "-h"] });
    expect([positionals, config.port]).toEqual([["start", "--port", "-h"], 2222]);
  });

  it("flags may stand before, between and after positionals", async () => {
    const { positionals, config } = await load({
      argv: ["--port=1", "kill", "--backlog", "2", "<1.17>", "-"],
    });
    expect(positionals).toEqual(["kill", "<1.17>", "-"]);
    expect([config.port, config.backlog]).toEqual([1, 2]);
  });

  it("help, version and the declared switches come back by name", () => {
    expect([...parseFlags({ argv: ["-h"] }).switches]).toEqual(["help"]);
    expect([...parseFlags({ argv: ["-hv"] }).switches]).toEqual(["help", "version"]);
    expect([...parseFlags({ argv: ["--version", "--json"], switches: ["json"] }).switches]).toEqual([
      "version",
      "json",
    ]);
  });

  it("help can be asked for although the environment is wrong", async () => {
    const sources = { argv: ["--help"], env: { DROVER_PORT: "abc" } };
    expect(parseFlags(sources).switches.has("help")).toBe(true);
    expect((await refusal(sources))[0]).toBe(78);
  });

  it("a value that begins with one dash is a value", async () => {
    expect(await refusal({ argv: ["--port", "-1"] })).toEqual([64, `--port: ${PORT} "-1"`]);
  });
});

describe("the environment", () => {
  it.each<[Environment, string]>([
    [{ DROVER_PORT: "" }, "DROVER_PORT is empty: expected a whole number from 0 to 65535, or unset it"],
    [{ DROVER_PORT: "abc" }, `DROVER_PORT: ${PORT} "abc"`],
    [{ DROVER_PROT: "1" }, "unknown environment variable DROVER_PROT: did you mean DROVER_PORT?"],
    [
      { DROVER_MAXSECONDS: "1" },
      "unknown environment variable DROVER_MAXSECONDS: did you mean DROVER_MAX_SECONDS?",
    ],
    [{ DROVER_COLOUR: "1" }, "unknown environment variable DROVER_COLOUR"],
    [{ DROVER_: "1" }, "unknown environment variable DROVER_"],
    [
      { DROVER_LOG_LEVEL: "inof" },
      expect.stringMatching(/^DROVER_LOG_LEVEL: .* got "inof": did you mean info\?$/),
    ],
  ])("%j is refused", async (env, message) => {
    expect(await refusal({ env })).toEqual([78, message]);
  });

  it.each<Environment>([
    { DROVER_PORT: "tcp://10.0.0.1:2222" },
    { DROVER_SERVICE_HOST: "10.0.0.1" },
    { DROVER_SERVICE_PORT_ADMIN: "9464" },
    { DROVER_PORT_2222_TCP_ADDR: "10.0.0.1" },
  ])("%j is explained as what Kubernetes sets for a Service named drover", async (env) => {
    const [exitCode, message] = await refusal({ env });
    expect(exitCode).toBe(78);
    expect(message).toMatch(/was set by Kubernetes .* enableServiceLinks: false/);
  });

  it("names that the caller allows, and names of others, are passed over", async () => {
    const env = { DROVER_SLOT: "", drover_x: "1", DROVERS: "1", PORT: "abc", DROVER_HOST: undefined };
    expect((await load({ env, allowedEnv: ["DROVER_SLOT"] })).config.port).toBe(2222);
  });

  it("an option cannot be set by a name that is allowed for another purpose", async () => {
    const { config } = await load({ env: { DROVER_PORT: "1" }, allowedEnv: ["DROVER_PORT"] });
    expect(config.port).toBe(2222);
  });
});

describe("values", () => {
  it.each(["abc", "-1", "65536", "1e3", "0x10", "80 ", "1.5", "NaN", "Infinity", "+1", "auto", "٣", "1_000"])(
    "port %j is refused",
    async (text) => {
      expect(await refusal({ argv: [`--port=${text}`] })).toEqual([64, `--port: ${PORT} "${text}"`]);
    },
  );

  it.each([
    ["--name", "a b"],
    ["--name", "../x"],
    ["--name", "x".repeat(65)],
    ["--host", "[::1]"],
    ["--host", "1.2.3.256"],
    ["--host", "a..b"],
    ["--host", "-a"],
    ["--host", "a b"],
    ["--host", "http://x"],
    ["--workers", "0"],
    ["--workers", "1025"],
    ["--workers", "Auto"],
    ["--admin-port", "65536"],
    ["--admin-host", "::1::"],
    ["--max-restarts", "-1"],
    ["--max-seconds", "0"],
    ["--max-connections", "0"],
    ["--max-connections", "1000000000"],
    ["--backlog", "0"],
    ["--idle-timeout", "0"],
    ["--idle-timeout", "0s"],
    ["--idle-timeout", "2 m"],
    ["--idle-timeout", "2min"],
    ["--idle-timeout", "25d"],
    ["--idle-timeout", "600h"],
    ["--shutdown", "-1s"],
    ["--shutdown", ".5s"],
    ["--transport", "raw"],
    ["--log-level", "INFO"],
    ["--log-format", "xml"],
  ])("%s %j is refused", async (flag, text) => {
    const [exitCode, message] = await refusal({ argv: [`${flag}=${text}`] });
    expect(exitCode).toBe(64);
    expect(message.startsWith(`${flag}: expected `)).toBe(true);
    expect(message).toContain(`got "${text}"`);
  });

  it.each([
    ["--port", "0"],
    ["--port", "65535"],
    ["--host", "0.0.0.0"],
    ["--host", "fe80::1%eth0"],
    ["--host", "my-host.example"],
    ["--workers", "auto"],
    ["--workers", "1024"],
    ["--max-restarts", "0"],
    ["--max-connections", "auto"],
    ["--shutdown", "0"],
    ["--name", "A_b-9"],
  ])("%s %j is allowed", async (flag, text) => {
    await expect(load({ argv: [flag, text] })).resolves.toBeDefined();
  });

  it("a word is suggested for a word", async () => {
    expect((await refusal({ argv: ["--transport", "steam"] }))[1]).toBe(
      '--transport: expected one of auto, handle, stream, got "steam": did you mean stream?',
    );
    expect((await refusal({ argv: ["--workers", "atuo"] }))[1]).toMatch(/did you mean auto\?$/);
  });

  it("what is allowed for a duration is said", async () => {
    expect((await refusal({ argv: ["--shutdown", "soon"] }))[1]).toBe(
      `--shutdown: expected a duration up to 24 days: ${DURATION}, got "soon"`,
    );
  });

  it("a message is one line, short, and without terminal escapes", async () => {
    const [, message] = await refusal({ argv: [`--port=1\n2\u001b[31m${"x".repeat(5000)}`] });
    expect(message).toMatch(/^\P{Cc}{1,250}$/u);
    const [, unknown] = await refusal({ argv: ["--po\nrt\u009b=1"] });
    expect(unknown).toBe("unknown option --po\\nrt\\x9b: did you mean --port?");
  });

  it("a refusal is a ConfigError", async () => {
    await expect(load({ argv: ["--x"] })).rejects.toBeInstanceOf(ConfigError);
  });
});

describe("durations", () => {
  it.each([
    [0, 0],
    [1.4, 1],
    ["500ms", 500],
    ["2s", 2000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["1.1s", 1100],
  ] as [Duration, number][])("%j is %i ms", (written, ms) => {
    expect(toMs(written)).toBe(ms);
  });

  it.each([
    "",
    "2",
    "2 s",
    "-1s",
    "s",
    "2S",
    "1d",
    "1e3s",
    "1s ",
    Number.NaN,
    -1,
    Number.POSITIVE_INFINITY,
    null,
  ])("%j is a TypeError", (written) => {
    expect(() => toMs(written as Duration)).toThrow(TypeError);
  });

  it("a bare number in a flag or in the environment is milliseconds", async () => {
    expect((await load({ argv: ["--idle-timeout", "2000"] })).config.idleTimeout).toBe(2000);
    expect((await load({ env: { DROVER_SHUTDOWN: "2000" } })).config.shutdown).toBe(2000);
  });

  it.each([
    [0, "0ms"],
    [1, "1ms"],
    [1500, "1500ms"],
    [2000, "2s"],
    [90_000, "90s"],
    [120_000, "2m"],
    [7_200_000, "2h"],
  ])("%i ms reads %s", (ms, text) => {
    expect(showDuration(ms)).toBe(text);
  });
});

describe("suggestions", () => {
  const NAMES = ["port", "adminPort", "maxConnections", "name"];

  it.each([
    ["prot", "port"],
    ["PORT", "port"],
    ["max_connections", "maxConnections"],
    ["maxConection", "maxConnections"],
    ["admin", "adminPort"],
    ["nmae", "name"],
  ])("%s means %s", (written, meant) => {
    expect(nearest(written, NAMES)).toBe(meant);
  });

  it.each(["", "x", "zzzz", "listeners", "x".repeat(10_000)])("%s means nothing", (written) => {
    expect(nearest(written, NAMES)).toBeUndefined();
  });
});
