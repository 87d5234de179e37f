/** Groups and names from outside: commands and routes, against a program that only exists in memory. */
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { AskFailed, Refusal } from "../../src/control/errors.js";
import { post, running } from "../admin/support.js";
import { drover } from "./support.js";

describe("lists", () => {
  it("show groups with their members, and the pids of one", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["groups"])).stdout).toBe(
      "     31  room/general\n      1  room/two\n2 groups\n",
    );
    expect((await drover(socketPath, ["group", "room/two"])).stdout).toBe(
      '<1.17>        ada\\n  {"device":"phone"}\n<2.4>\n2 members\n',
    );
    expect((await drover(socketPath, ["group", "none"])).stdout).toBe("0 members\n");
    expect(JSON.parse((await drover(socketPath, ["groups"], { json: true })).stdout).total).toBe(2);
  });

  it("show names, and where one is", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["names", "device/42"])).stdout).toBe(
      "<2.19>        device/42\n1 of 2 names\n",
    );
    expect((await drover(socketPath, ["whereis", "device/4"])).stdout).toBe("<1.17>\n");
    const nobody = await drover(socketPath, ["whereis", "device"]);
    expect([nobody.code, nobody.stderr]).toEqual([68, "no process holds the name device\n"]);
  });
});

describe("nodes", () => {
  it("shows the other servers and the carrier", async () => {
    const { socketPath } = await running();
    expect((await drover(socketPath, ["nodes"])).stdout).toBe(
      [
        "NODE  STATE        FOR  ROUND TRIP",
        "gw1   this server",
        "gw2   up           1h   1.3 ms",
        "gw3   down         5s",
        "NATS nats://n1:4222 0.4 ms",
        "",
      ].join("\n"),
    );
    expect(JSON.parse((await drover(socketPath, ["nodes"], { json: true })).stdout).nodes).toHaveLength(2);
  });
});

describe("ask and publish", () => {
  it("send JSON, or a text", async () => {
    const { socketPath, control } = await running();
    expect((await drover(socketPath, ["ask", "device/42", '{"op":"read"}'])).stdout).toBe('{"value":7}\n');
    control.asking = "a text\x1b";
    const values = new Map([["within", "250ms"]]);
    expect((await drover(socketPath, ["ask", "device/42", "42"], { values })).stdout).toBe("a text\\x1b\n");
    expect((await drover(socketPath, ["publish", "room/general", "tea in 5 minutes"])).stdout).toBe(
      "sent to room/general: 31 members\n",
    );
    expect((await drover(socketPath, ["publish", "lobby", "x"])).stdout).toBe("sent to lobby: 0 members\n");
    expect((await drover(socketPath, ["publish", "none", "x"])).stdout).toBe("sent to none\n");
    expect(control.changes).toEqual([
      'ask device/42 {"op":"read"} 5000',
      'ask device/42 "42" 250',
      'publish room/general "tea in 5 minutes"',
      'publish lobby "x"',
      'publish none "x"',
    ]);
    // What a terminal obeys: the C1 form of an escape sequence, and a bidi mark.
    control.asking = { text: "\x9b31m\u202e" };
    const { stdout } = await drover(socketPath, ["ask", "device/42", "x"]);
    expect(stdout).toBe('{"text":"\\u009b31m\\u202e"}\n');
    control.asking = Buffer.from("bytes");
    expect((await drover(socketPath, ["ask", "device/42", "x"])).stdout).toBe('{"base64":"Ynl0ZXM="}\n');
  });

  it.each([
    ["nobody", 68],
    ["refused", 65],
    ["timeout", 75],
    ["busy", 75],
    ["ended", 75],
    ["unreachable", 75],
  ] as const)("exit by why there is no answer: %s is %d", async (code, exit) => {
    const { socketPath, control } = await running();
    control.asking = new AskFailed(code, `because ${code}`);
    const { code: got, stderr } = await drover(socketPath, ["ask", "device/42", "x"]);
    expect([got, stderr]).toEqual([exit, `because ${code}\n`]);
  });

  it("take a message from standard input, larger than an argument can be", async () => {
    const { socketPath, control } = await running({ maxMessage: 300_000 });
    const input = () => Readable.from(["x".repeat(250_000), "\u0000".repeat(50_000), "\r\n"]);
    expect((await drover(socketPath, ["publish", "lobby", "-"], { input })).code).toBe(0);
    expect(
      (await drover(socketPath, ["ask", "device/42", "-"], { input: () => Readable.from(["[1]\n"]) })).code,
    ).toBe(0);
    const text = JSON.stringify(`${"x".repeat(250_000)}${"\u0000".repeat(50_000)}`);
    expect(control.changes).toEqual([`publish lobby ${text}`, "ask device/42 [1] 5000"]);
  });

  it("say that a message is too large, with the exit code of what is refused", async () => {
    const { socketPath, control } = await running();
    control.asking = new Refusal("too_large", "the message has 65537 bytes, at most 65536 are sent");
    const refused = await drover(socketPath, ["ask", "device/42", "x"]);
    expect([refused.code, refused.stderr]).toEqual([
      65,
      "the message has 65537 bytes, at most 65536 are sent\n",
    ]);
  });

  it("refuse what is wrong before anything is sent", async () => {
    const { socketPath, control } = await running();
    expect(await drover(socketPath, ["ask", "a", "{x"])).toMatchObject({ code: 64 });
    const values = new Map([["within", "soon"]]);
    expect(await drover(socketPath, ["ask", "a", "x"], { values })).toMatchObject({ code: 64 });
    const long = new Map([["within", "2m"]]);
    const refused = await drover(socketPath, ["ask", "a", "x"], { values: long });
    expect([refused.code, refused.stderr]).toEqual([64, "within must be a duration from 1ms to 60s\n"]);
    expect(control.changes).toEqual([]);
    control.asking = new Refusal("conflict", "no protocol of this server takes messages");
    expect(await drover(socketPath, ["ask", "a", "x"])).toMatchObject({ code: 69 });
  });
});

describe("over HTTP", () => {
  it.each([
    ["nobody", 404],
    ["ended", 409],
    ["refused", 422],
    ["busy", 429],
    ["unreachable", 503],
    ["timeout", 504],
  ] as const)("%s is %d, with its code", async (code, status) => {
    const { socketPath, control } = await running();
    control.asking = new AskFailed(code, "why");
    const answer = await post({ socketPath }, "/ask", { name: "a", body: 1, within: "1s" });
    expect([answer.status, answer.json]).toEqual([status, { error: "why", code }]);
  });

  it("takes the largest message, however JSON writes it; only the routes of messages do", async () => {
    const { socketPath } = await running({ maxMessage: 100_000 });
    const body = "\u0000".repeat(100_000);
    expect((await post({ socketPath }, "/publish", { group: "lobby", body })).status).toBe(200);
    expect((await post({ socketPath }, "/ask", { name: "a", body })).status).toBe(200);
    expect((await post({ socketPath }, "/kill", { pid: "<1.17>", reason: body })).status).toBe(413);
    const larger = { group: "lobby", body: `${body}${"x".repeat(70_000)}` };
    expect((await post({ socketPath }, "/publish", larger)).json.error).toBe(
      "the body is larger than 665536 bytes",
    );
  });

  it("says what is missing", async () => {
    const { socketPath } = await running();
    const bodies = [{}, { name: "a" }, { name: 7, body: 1 }, { name: "a", body: 1, within: 0 }];
    for (const body of bodies) expect((await post({ socketPath }, "/ask", body)).status).toBe(400);
    expect((await post({ socketPath }, "/publish", { group: "a" })).status).toBe(400);
  });
});
