/** Faults of the network that need the kernel: a cable that is cut, and urgent data. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { afterEach, expect, onTestFinished } from "vitest";
import { metric } from "../../support/admin-http.js";
import { find, testWith } from "../../support/peers.js";
import { endAll, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

afterEach(endAll);

const ip = (...args: string[]) => execFileSync(find("ip") as string, args, { stdio: "pipe" });

/** Whether this user may make a network namespace. */
const mayNetns = (() => {
  if (!find("ip")) return false;
  const name = `drover-try-${process.pid}`;
  try {
    ip("netns", "add", name);
    ip("netns", "delete", name);
    return true;
  } catch {
    return false;
  }
})();
const netns = testWith("ip", "apt-get install iproute2");
const python = testWith("python3", "apt-get install python3");

/** `ask` is answered; `much` is answered with more than the client's kernel takes. */
const TALKER = `
import { defineProtocol, packet } from "drover";
export default defineProtocol({
  name: "talker",
  framing: packet(4, { maxLength: 16 * 2 ** 20 }),
  limits: { send: "2s" },
  states: {
    ready: {
      frame: (conn, frame) => {
        if (String(frame) === "much") conn.send(Buffer.alloc(15 * 2 ** 20));
        else conn.send(frame);
      },
    },
  },
});
`;

/** Connects, sends one frame, and stays. */
const STAYING = `
const [host, port, word] = process.argv.slice(1);
const socket = require("node:net").connect({ host, port }, () => {
  const body = Buffer.from(word);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  socket.write(Buffer.concat([header, body]));
  socket.once("data", () => { socket.pause(); console.log("answered"); });
});
setInterval(() => {}, 1000);
`;

/** A network namespace that is joined to this machine by a cable. */
function cable() {
  const name = `drv${process.pid % 100_000}`;
  const [here, there] = [`${name}a`, `${name}b`];
  ip("netns", "add", name);
  onTestFinished(() => void ip("netns", "delete", name));
  ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name);
  ip("addr", "add", "10.231.77.1/24", "dev", here);
  ip("link", "set", here, "up");
  for (const line of [`addr add 10.231.77.2/24 dev ${there}`, `link set ${there} up`])
    ip("-n", name, ...line.split(" "));
  return { name, host: "10.231.77.1", cut: () => ip("-n", name, "link", "set", there, "down") };
}

function staying(name: string, host: string, port: number, word: string) {
  const argv = ["netns", "exec", name, process.execPath, "-e", STAYING, host, String(port), word];
  const child: ChildProcess = spawn(find("ip") as string, argv, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return new Promise<void>((resolve) => child.stdout?.once("data", () => resolve()));
}

netns.skipIf(!mayNetns)(
  "a client behind a cut cable is ended when its time is over, idle or not reading",
  async () => {
    const { name, host, cut } = cable();
    const flags = ["--workers=1", "--host=0.0.0.0", "--idle-timeout=3s"];
    const { port, adminPort } = await serveProtocol("talker.ts", TALKER, flags);
    await Promise.all([staying(name, host, port, "hello"), staying(name, host, port, "much")]);
    cut();
    const closed = async (reason: string) =>
      await metric(adminPort, "drover_connections_closed_total", { reason });
    await eventually(async () => (await closed("idle")) === 1 && (await closed("send_timeout")) === 1);
    expect(await metric(adminPort, "drover_connections_active")).toBe(0);
  },
);

/** Sends a frame in three pieces, of which the second is urgent. */
const URGENT = `
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"\\x00\\x00\\x00\\x05he")
s.send(b"!", socket.MSG_OOB)
s.sendall(b"llo")
print(s.recv(100).hex())
s.sendall(b"\\x00\\x00\\x00\\x02ok")
print(s.recv(100).hex())
`;

python("an urgent byte is passed over, and the frames around it are served", async () => {
  const { program, port } = await serveProtocol("talker.ts", TALKER, ["--workers=1"]);
  const said = await new Promise<string>((resolve, reject) => {
    const child = spawn(find("python3") as string, ["-c", URGENT, String(port)]);
    let text = "";
    child.stdout.on("data", (chunk) => {
      text += chunk;
    });
    child.once("error", reject);
    child.once("close", () => resolve(text));
  });
  const hex = (word: string) =>
    Buffer.from(`\0\0\0${String.fromCharCode(word.length)}${word}`).toString("hex");
  expect(said.split("\n")).toEqual([hex("hello"), hex("ok"), ""]);
  expect(program.lines.filter(({ level }) => level === "error")).toEqual([]);
});
