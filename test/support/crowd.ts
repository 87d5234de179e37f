/** Thousands of idle clients, in several OS processes because of the limit of open files per process. */
import { type ChildProcess, spawn } from "node:child_process";

const PER_PROCESS = 5_000;
/** Concurrent connects: fewer than the backlog, so that no SYN is sent again. */
const AT_ONCE = 200;

const PROGRAM = `
const { connect } = require("node:net");
const [port, size] = process.argv.slice(1).map(Number);
let begun = 0, open = 0;
const next = () => {
  if (begun === size) return;
  begun++;
  const socket = connect(port, "127.0.0.1", () => {
    if (++open === size) console.log("all");
    next();
  });
  socket.on("error", (error) => { console.error(error.message); process.exit(1); });
};
for (let n = 0; n < ${AT_ONCE}; n++) next();
`;

export class Crowd {
  readonly #children: ChildProcess[] = [];

  /** Connects this many clients; resolves when all are connected. */
  async join(port: number, size: number): Promise<void> {
    const sizes = Array.from({ length: Math.ceil(size / PER_PROCESS) }, (_, at) =>
      Math.min(PER_PROCESS, size - at * PER_PROCESS),
    );
    await Promise.all(sizes.map((one) => this.#spawn(port, one)));
  }

  #spawn(port: number, size: number): Promise<void> {
    const args = ["-e", PROGRAM, String(port), String(size)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    return new Promise((resolve, reject) => {
      child.stdout?.once("data", () => resolve());
      child.once("close", (code) => reject(new Error(`the clients ended: ${code}`)));
    });
  }

  leave(): void {
    for (const child of this.#children) child.kill("SIGKILL");
  }
}
