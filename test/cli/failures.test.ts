/** What goes wrong, each with one line on stderr and its exit code. */
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createNetServer, type Server } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import { folder, running } from "../admin/support.js";
import { drover } from "./support.js";

const NO_SERVER =
  'no drover named "drover" is running here: start it with `drover start`, or pass --name/--control\n';

/** Listens on a control socket without being a drover. */
async function impostor(server: Server, path = join(folder(), "drover.sock")): Promise<string> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}

describe("no server", () => {
  it.each([["tree"], ["info"], ["kill", "1.17"], ["stop"], ["config"]])("%s says so", async (...line) => {
    expect(await drover(join(folder(), "drover.sock"), line)).toEqual({
      code: 69,
      stdout: "",
      stderr: NO_SERVER,
    });
  });

  it("names the path where that is one of its own", async () => {
    const path = join(folder(), "mine.sock");
    const stderr = `no drover is running at ${path}: start it with \`drover start\`, or pass --name/--control\n`;
    expect(await drover(path, ["tree"])).toMatchObject({ code: 69, stderr });
  });

  it("names those that are running: not what a killed one has left, and ten at most", async () => {
    const here = folder();
    const ask = () => drover(join(here, "drover.sock"), ["tree"]);
    await impostor(
      createNetServer((socket) => socket.destroy()),
      join(here, "two.sock"),
    );
    await impostor(
      createNetServer((socket) => socket.destroy()),
      join(here, "one.sock"),
    );
    writeFileSync(join(here, "gone.sock"), "");
    const stderr =
      'no drover named "drover" is running here: start it with `drover start`, or pass the --name of one that is running: one, two\n';
    expect(await ask()).toEqual({ code: 69, stdout: "", stderr });
    for (let at = 0; at < 10; at++)
      await impostor(
        createNetServer((socket) => socket.destroy()),
        join(here, `a${at}.sock`),
      );
    expect((await ask()).stderr).toContain(
      "is running: a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, and 2 more\n",
    );
  });

  it("says so where a file lies in the place of the socket", async () => {
    const path = join(folder(), "drover.sock");
    writeFileSync(path, "");
    expect(await drover(path, ["tree"])).toMatchObject({ code: 69, stderr: NO_SERVER });
  });
});

describe("another server than expected", () => {
  it("one that does not answer is given up", async () => {
    const path = await impostor(createNetServer(() => {}));
    const { code, stdout, stderr } = await drover(path, ["tree"], { timeout: 50 });
    expect([code, stdout]).toEqual([69, ""]);
    expect(stderr).toBe(`drover "drover" did not answer within 0.05 s at ${path}\n`);
  });

  it("one that begins to answer and stops is given up", async () => {
    const path = await impostor(createServer((_, response) => void response.write("{")));
    expect((await drover(path, ["tree"], { timeout: 50 })).code).toBe(69);
  });

  it("one that hangs up is reported", async () => {
    const path = await impostor(createNetServer((socket) => socket.destroy()));
    const { code, stderr } = await drover(path, ["tree"]);
    expect(code).toBe(69);
    expect(stderr).toMatch(/^drover "drover" closed the connection \(.+\)\n$/);
  });

  it("one that answers something else is reported", async () => {
    const path = await impostor(createServer((_, response) => void response.end("<html>")));
    const { code, stderr } = await drover(path, ["tree"]);
    expect([code, stderr]).toEqual([69, "unexpected answer from the server: compare the versions\n"]);
  });

  it("one whose error would command the terminal is shown as text", async () => {
    const answer = JSON.stringify({ error: "\x1b[2J\nforged" });
    const path = await impostor(createServer((_, response) => void response.writeHead(500).end(answer)));
    expect((await drover(path, ["tree"])).stderr).toBe("\\x1b[2J\\nforged\n");
  });
});

describe("a wrong command line", () => {
  it.each([
    [["tre"], 'unknown command "tre": did you mean tree?'],
    [["frobnicate"], 'unknown command "frobnicate": `drover help` lists the commands'],
    [["__proto__"], 'unknown command "__proto__": `drover help` lists the commands'],
    [["kill"], "too few arguments: drover kill PID [REASON]"],
    [["kill", "1.17", "a", "b"], "too many arguments: drover kill PID [REASON]"],
    [["tree", "x"], "too many arguments: drover tree"],
    [["kill", "-1"], "not a pid: \"-1\": a pid looks like '<1.17>'"],
    [["kill", "1e3"], "not a pid: \"1e3\": a pid looks like '<1.17>'"],
    [["info", "primary"], "not a pid: \"primary\": a pid looks like '<1.17>'"],
  ])("%j is 64 before any server is asked", async (line, message) => {
    expect(await drover("/nowhere", line)).toEqual({ code: 64, stdout: "", stderr: `${message}\n` });
  });

  it("--json where nothing is read is 64", async () => {
    const { code, stderr } = await drover("/nowhere", ["stop"], { json: true });
    expect([code, stderr]).toEqual([64, "drover stop has no --json\n"]);
  });

  it("a reason that the server refuses is 64", async () => {
    const { socketPath, control } = await running();
    const { code, stderr } = await drover(socketPath, ["kill", "1.17", "a\nb"]);
    expect([code, stderr]).toEqual([64, "reason must be a text of 1 to 200 printable characters\n"]);
    expect(control.changes).toEqual([]);
  });
});

it.each([
  ["info", "7.7"],
  ["kill", "7.7"],
])("%s %s, where nobody lives, is 69", async (...line) => {
  const { socketPath } = await running();
  expect(await drover(socketPath, line)).toEqual({ code: 69, stdout: "", stderr: "no process <7.7>\n" });
});

it("a reader that has read enough is no failure", async () => {
  const { socketPath } = await running();
  const stdout = new Writable({
    write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
  });
  expect(await drover(socketPath, ["tree"], { stdout })).toEqual({ code: 0, stdout: "", stderr: "" });
});
