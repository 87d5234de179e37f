/** What the outside may ask of the running program: the admin room turns it into routes, and adds nothing. */

/** A process in the picture of the tree. */
export interface TreeNode {
  /** `<1.17>`. */
  readonly pid: string;
  /** `drover`, `worker 1`, `tcp_server`, `connections`, `listener`, or the protocol's name. */
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "listener" | "connection" | "admin" | "process";
  /** Of a connection or listener. */
  readonly state?: string;
  /** The right-hand column: `one_for_one 5/60s`, `10.0.0.7:51234, idle 12s`. */
  readonly detail: string;
  /** Of a worker. */
  readonly osPid?: number;
  readonly children: readonly TreeNode[];
  /** Children that are not listed, because only so many were asked for. */
  readonly more?: number;
}

/** What the program says of itself: `drover info`. */
export interface ProgramInfo {
  readonly name: string;
  readonly version: string;
  readonly node: string;
  readonly osPid: number;
  readonly uptimeSeconds: number;
  readonly protocol: string;
  /** Where it listens: `[::]:2222`. */
  readonly address: string;
  readonly admin: string;
  readonly transport: string;
  readonly workers: readonly {
    readonly worker: number;
    readonly osPid: number;
    readonly state: string;
    readonly restarts: number;
  }[];
  readonly connections: { readonly active: number; readonly accepted: number; readonly closed: number };
  readonly restartsLeft: number;
}

export interface Readiness {
  readonly ok: boolean;
  /** `ready`, or why not: `starting`, `stopping`, `no worker is accepting`. */
  readonly status: string;
  readonly workers: number;
}

export interface Control {
  /** @param connections how many connections to list under each worker at most */
  tree(connections: number): Promise<TreeNode>;
  info(): Promise<ProgramInfo>;
  /** Of one process: ordered pairs to be shown as they are. `undefined`: no such process. */
  inspect(pid: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Sends an exit signal. `false`: no such process. */
  kill(pid: string, reason: string): Promise<boolean>;
  /** Begins the graceful stop. */
  stop(): void;
  /** Rows for `drover config`. */
  config(): readonly unknown[];
  /** The text of `/metrics`. */
  metrics(): Promise<string>;
  health(): Readiness;
  ready(): Readiness;
}
