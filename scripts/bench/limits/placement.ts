// Where the OS processes run, so that the server is measured: the server alone on one core, client and attacker on the
// other, where the client comes first. With one core, or without the right to, they run as they come.
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

const SERVER = "0";
const CLIENTS = "1";

/** Whether the machine has two cores, and this user may set priorities. */
export function canPlace(): boolean {
  return availableParallelism() >= 2 && process.getuid?.() === 0;
}

/** The server, all its threads and those of its workers. */
export function placeServer(osPids: readonly number[]): void {
  for (const osPid of osPids) {
    run("taskset", "--all-tasks", "--cpu-list", "--pid", SERVER, `${osPid}`);
    run("renice", "--priority", "-15", "--pid", `${osPid}`);
  }
}

/** This OS process: the honest client. It is idle but for its echoes, so that a real-time priority holds up nothing. */
export function placeClient(): void {
  run("taskset", "--all-tasks", "--cpu-list", "--pid", CLIENTS, `${process.pid}`);
  run("chrt", "--rr", "--reset-on-fork", "--pid", "1", `${process.pid}`);
}

/** An attacker that this OS process has started: it has what the client leaves of their core. */
export function placeAttacker(osPid: number): void {
  run("taskset", "--all-tasks", "--cpu-list", "--pid", CLIENTS, `${osPid}`);
  run("renice", "--priority", "-10", "--pid", `${osPid}`);
}

function run(program: string, ...args: string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
