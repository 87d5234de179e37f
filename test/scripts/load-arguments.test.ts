// The options of `npm run load`: what is taken, and that every refusal says what to type instead.
import { describe, expect, it } from "vitest";
import { parseArguments } from "../../scripts/load/arguments.js";

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
      "--framing packet3 is unknown: type --framing with packet1, packet2, packet4, line",
    ],
    [
      "--size 70000",
      "--size 70000 does not fit into a packet2 frame: type --size 65535 or --framing packet4",
    ],
    ["--json=yes", "--json takes no value: type --json"],
  ])("refuses %s and says what to type", (line, message) => {
    expect(() => parseArguments(line.split(" "))).toThrow(message);
  });
});
