// The servers that the benchmark compares, each with two workers on its own port. A server whose program is not
// installed is skipped with a message.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { BARE_NET } from "./bare-net.js";

export const WORKERS = 2;
const START_MS = 60_000;
const RETRY_MS = 100;

export interface Contestant {
  name: string;
  /** Description for the legend of the table. */
  about: string;
  /** Program that must be installed besides Node. */
  needs?: string;
  command(port: number, folder: string): string[];
}

export interface Server {
  contestant: Contestant;
  port: number;
  osPid: number;
  stop(): Promise<void>;
}

export function contestants(root: string, entry: string): Contestant[] {
  const ours = (transport: string) => (port: number) => [
    ...[process.execPath, join(root, "dist/main.js"), "start", "--transport", transport],
    ...["--host", "127.0.0.1", "--port", `${port}`, "--workers", `${WORKERS}`],
    ...["--admin-port", "0", "--log-level", "fatal"],
  ];
  const eval_ = (port: number) => `tutorial:serve(${port}).`;
  return [
    { name: "drover", about: "transport handle", command: ours("handle") },
    { name: "drover stream", about: "transport stream", command: ours("stream") },
    {
      name: "bare net",
      about: "node:cluster and node:net, no framing, every chunk written back",
      command: (port) => [process.execPath, entry, BARE_NET, `${port}`],
    },
    {
      name: "Erlang",
      about: "the tutorial's design on Erlang/OTP, scripts/bench/compare/tutorial.erl",
      needs: "erlc",
      command: (port, folder) => {
        execFileSync("erlc", ["-o", folder, join(root, "scripts/bench/compare/tutorial.erl")]);
        return ["erl", "-noshell", "+K", "true", "-pa", folder, "-eval", eval_(port)];
      },
    },
  ];
}

export function isInstalled({ needs }: Pick<Contestant, "needs">): boolean {
  if (!needs) return true;
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, needs), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Process groups of the servers that run. */
const groups = new Set<number>();
let watching = false;

/** A benchmark that ends, by Ctrl-C too, leaves no server behind. */
function endGroupsAtExit(): void {
  if (watching) return;
  watching = true;
  process.once("exit", () => groups.forEach(killGroup));
  process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
}

function killGroup(osPid: number): void {
  groups.delete(osPid);
  try {
    process.kill(-osPid, "SIGKILL");
  } catch (error) {
    // All of it has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

export async function start(contestant: Contestant): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), "drover-bench-"));
  const port = await freePort();
  const [program = "", ...args] = contestant.command(port, folder);
  const env = { ...process.env, XDG_RUNTIME_DIR: folder };
  // Its own process group, so that SIGKILL ends its workers too.
  const child = spawn(program, args, {
    env,
    cwd: folder,
    detached: true,
    stdio: ["ignore", "ignore", "inherit"],
  });
  endGroupsAtExit();
  groups.add(child.pid!);
  const exited = once(child, "exit");
  const stop = async () => {
    killGroup(child.pid!);
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await accepts(port, child, contestant.name);
  } catch (error) {
    await stop();
    throw error;
  }
  return { contestant, port, osPid: child.pid!, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function accepts(port: number, child: ChildProcess, name: string): Promise<void> {
  const until = performance.now() + START_MS;
  while (performance.now() < until && child.exitCode === null) {
    const socket = connect({ port, host: "127.0.0.1" });
    try {
      await once(socket, "connect");
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`${name} accepted no connection within ${START_MS / 1_000} s`);
}
