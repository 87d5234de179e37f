// The options of `npm run load`: what is taken, and that every refusal says what to type instead.
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../../scripts/load/command-line/arguments.js";

describe("the command line", () => {
  it("has the defaults that its help names", () => {
    const settings = parseArguments([])!;
    expect(settings.load).toMatchObject({
      host: "127.0.0.1",
      port: 2222,
      connections: 100,
      window: 1,
      size: 64,
    });
    expect(settings.load).toMatchObject({ framing: "packet2", durationMs: 5_000, frames: undefined });
    expect(parseArguments(["--help"])).toBeUndefined();
    expect(parseArguments(["--frames=10"])!.load.durationMs).toBeUndefined();
    expect(parseArguments(["--size", "16k", "--duration=1.5m"])!.load).toMatchObject({
      size: 16_384,
      durationMs: 90_000,
    });
    expect(parseArguments(["--connections", "10"])!.processes).toBe(1);
    expect(parseArguments(["--connections", "2", "--processes", "8"])!.processes).toBe(2);
  });

  it.each([
    ["--conections 5", "unknown option --conections: did you mean --connections?"],
    ["--zzzzzzzz", "unknown option --zzzzzzzz: npm run load -- --help lists all options"],
    ["2222", "unexpected argument 2222: npm run load -- --help lists all options"],
    ["--port", "--port needs a value: type --port 2222"],
    ["--port --json", "--port needs a value: type --port 2222"],
    ["--port 70000", "--port 70000 is not a whole number from 1 to 65535: type --port 2222"],
    ["--window 2k", "--window 2k is not a whole number from 1 to 65536: type --window 1"],
    ["--duration 5", "--duration 5 has no unit: type --duration 5s"],
    ["--duration soon", "--duration soon is not a time from 1ms to 168h: type --duration 5s"],
    [
      "--framing packet3",
      "--framing packet3 is unknown: type --framing with packet1, packet2, packet4, line, raw",
    ],
    [
      "--size 70000",
      "--size 70000 does not fit into a packet2 frame: type --size 65535 or --framing packet4",
    ],
    ["--framing raw --size 0", "--size 0 is an empty frame with --framing raw: type --size 64"],
    ["--json=yes", "--json takes no value: type --json"],
    ["--mode rat", "--mode rat is unknown: type --mode with echo, rate, connect, idle, mixed, ramp"],
    ["--mode rate", "--mode rate needs a rate: type --rate 1000"],
    ["--rate 1000", "--rate has no effect in mode echo: type --mode rate or --mode connect or --mode idle"],
    ["--mode idle --frames 5", "--frames has no effect in mode idle: type --mode echo or --mode rate"],
    [
      "--target 127.0.0.1",
      "--target 127.0.0.1 is not HOST:PORT: type --target 127.0.0.1:2222,127.0.0.1:2223",
    ],
    [
      "--source 127.0.0.1/33",
      "--source 127.0.0.1/33 is not a block of IPv4 addresses: type --source 127.0.0.0/8",
    ],
    ["--mode mixed --mix bulk", "--mix bulk is not a share: type --mix pingers=60,bulk=10,idle=30"],
    ["--mode mixed --mix slow=0", "--mix slow=0 has no clients: type --mix pingers=60"],
    [
      "--mode mixed --mix sow=1",
      "--mix sow is unknown: type --mix with pingers, bulk, idle, slow, half, reconnecting",
    ],
    ["--proxy 1", "--proxy 1 is unknown: type --proxy with v1, v2"],
    ["--insecure", "--insecure needs TLS: type --tls --insecure"],
    ["--tls --reset", "--reset does not work with --tls: remove --reset"],
    ["--tls --ca /no/such.pem", "--ca /no/such.pem cannot be read: ENOENT"],
    ["--admin 9464", "--admin 9464 is not an address: type --admin http://127.0.0.1:9464"],
    ["--expect p99", "--expect p99 is not METRIC<VALUE: type --expect 'p99<5ms,errors=0'"],
    ["--expect p99<5", "--expect p99<5 has no unit: type --expect 'p99<5ms'"],
    ["--expect errors=0ms", "--expect errors=0ms is a count, without a unit: type 'errors=0'"],
    ["--expect speed>1", "--expect speed is unknown: type one of p50"],
    ["--mode ramp --until nothing", "--until nothing is not METRIC<VALUE: type --until 'p99<5ms,errors=0'"],
    ["--connections 100000 --processes 1", "--processes 1 cannot hold 100000 connections, at "],
  ])("refuses %s and says what to type", (line, message) => {
    expect(() => parseArguments(line.split(" "))).toThrow(message);
  });

  it("has a window and a rate that suit the mode", () => {
    expect(parseArguments(["--mode", "rate", "--rate", "5000"])!.load).toMatchObject({
      window: 1_024,
      rate: 5_000,
    });
    expect(parseArguments(["--mode=rate", "--rate=1", "--size=60000"])!.load.window).toBe(4);
    expect(parseArguments(["--mode", "idle", "--connections", "40"])!.load).toMatchObject({
      window: 1,
      rate: 40,
    });
    expect(parseArguments(["--mode", "mixed", "--mix", "pingers=1,idle=1"])!.load.rate).toBe(500);
    expect(parseArguments(["--mode", "ramp"])!).toMatchObject({
      load: { mode: "rate" },
      ramp: { from: 1_000 },
    });
    expect(parseArguments(["--framing", "packet1"])!.load.bulkSize).toBe(255);
  });

  it("spreads many connections over processes and source addresses, and says so", () => {
    const { processes, load, notes } = parseArguments([
      "--mode",
      "idle",
      "--connections",
      "60000",
      "--source",
      "10.1.2.3/16",
    ])!;
    expect(load.source).toEqual({ first: 0x0a010001, count: 65_534 });
    expect(processes).toBeGreaterThanOrEqual(1);
    const many = parseArguments(["--mode", "idle", "--connections", "60000"])!;
    expect(many.load.source).toEqual({ first: 0x7f000001, count: 12 });
    expect(many.notes.at(-1)).toBe("12 source addresses from 127.0.0.1 on: one has only 25000 ports");
    expect(notes.filter((note) => note.includes("source"))).toEqual([]);
    expect(
      parseArguments(["--mode", "idle", "--connections", "60000", "--host", "example.org"])!.load.source,
    ).toBeUndefined();
  });

  it("takes several targets in place of host and port", () => {
    const { load } = parseArguments(["--target", "127.0.0.1:1000,[::1]:2000,example.org:3000"])!;
    expect(load.targets).toEqual([
      { host: "127.0.0.1", port: 1_000 },
      { host: "::1", port: 2_000 },
      { host: "example.org", port: 3_000 },
    ]);
  });
});
