/** A program that only exists in memory: the tree of the design's picture, whose processes can be killed. */
import type { Control, ProgramInfo, Readiness, TreeNode } from "../../src/cluster/control.js";

export class FakeControl implements Control {
  root: TreeNode = picture();
  health_: Readiness = { ok: true, status: "well", workers: 2 };
  ready_: Readiness = { ok: true, status: "ready", workers: 2 };
  osPid = 4100;
  /** Calls that changed something. */
  readonly changes: string[] = [];
  /** What `stop` does beyond being noted. */
  onStop: () => void = () => {};
  /** Thrown by `metrics`. */
  failure: Error | undefined = undefined;

  async tree(connections: number): Promise<TreeNode> {
    return shortened(this.root, connections);
  }

  async info(): Promise<ProgramInfo> {
    return {
      name: "drover",
      version: "0.1.0",
      node: "v20.19.0",
      osPid: this.osPid,
      uptimeSeconds: 10_920,
      protocol: "chat",
      address: "[::]:2222",
      admin: "127.0.0.1:9464",
      transport: "stream",
      workers: [
        { worker: 1, osPid: 4121, state: "running", restarts: 0 },
        { worker: 2, osPid: 4377, state: "running", restarts: 1 },
      ],
      connections: { active: 2, accepted: 12, closed: 10 },
      restartsLeft: 4,
    };
  }

  async inspect(pid: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const found = find(this.root, pid);
    return found && { pid, name: found.name, state: found.state ?? "running", links: ["<1.3>"], queue: 0 };
  }

  async kill(pid: string, reason: string): Promise<boolean> {
    if (find(this.root, pid) === undefined) return false;
    this.changes.push(`kill ${pid} ${reason}`);
    return true;
  }

  stop(): void {
    this.changes.push("stop");
    this.onStop();
  }

  config(): readonly unknown[] {
    return [
      { key: "port", value: 2222, text: "2222", origin: "default", flag: "--port", env: "DROVER_PORT" },
      {
        key: "idleTimeout",
        value: 120_000,
        text: "2m",
        origin: "flag",
        flag: "--idle-timeout",
        env: "DROVER_IDLE_TIMEOUT",
      },
    ];
  }

  async metrics(): Promise<string> {
    if (this.failure) throw this.failure;
    return "drover_connections_active 2\n";
  }

  health(): Readiness {
    return this.health_;
  }

  ready(): Readiness {
    return this.ready_;
  }
}

type Rest = Partial<Omit<TreeNode, "pid" | "name" | "detail">>;

export function node(pid: string, name: string, detail: string, rest: Rest = {}): TreeNode {
  return { pid, name, detail, kind: "process", children: [], ...rest };
}

function picture(): TreeNode {
  const clients = [
    node("<1.17>", "chat", "10.0.0.7:51234, idle 12s", { kind: "connection", state: "talking" }),
    node("<1.19>", "chat", "10.0.0.9:40012", { kind: "connection", state: "greeting" }),
  ];
  const server = node("<1.2>", "tcp_server", "one_for_one 5/60s", {
    kind: "supervisor",
    children: [
      node("<1.3>", "connections", "2 of 10000, temporary, shutdown 2s", {
        kind: "supervisor",
        children: clients,
      }),
      node("<1.4>", "listener", "[::]:2222 running", { kind: "listener", state: "running" }),
    ],
  });
  return node("<0.1>", "drover", "one_for_one 5/60s", {
    kind: "supervisor",
    children: [
      node("<0.2>", "admin", "127.0.0.1:9464 + control socket", { kind: "admin" }),
      node("<1.1>", "worker 1", "up 3h", { kind: "worker", osPid: 4121, children: [server] }),
      node("<2.1>", "worker 2", "up 4s, restarted 1", { kind: "worker", osPid: 4377 }),
    ],
  });
}

function find(from: TreeNode, pid: string): TreeNode | undefined {
  if (from.pid === pid) return from;
  return from.children.map((child) => find(child, pid)).find((found) => found !== undefined);
}

function shortened(from: TreeNode, connections: number): TreeNode {
  const children = from.children.map((child) => shortened(child, connections));
  const listed = from.name === "connections" ? children.slice(0, connections) : children;
  const more = children.length - listed.length;
  return more === 0 ? { ...from, children } : { ...from, children: listed, more };
}
