/** Process tree of the program, and the state of one process. */

/** A process in the tree. */
export interface TreeNode {
  /** `<1.17>`. */
  readonly pid: string;
  /** The name of the server, `worker 1`, `tcp_server`, `connections`, `listener`, or the protocol's name. */
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "listener" | "connection" | "admin" | "process";
  /** Of a connection or listener. */
  readonly state?: string;
  /** The right-hand column: `one_for_one 5/60s`, `10.0.0.7:51234, idle 12s`. */
  readonly detail: string;
  /** Of a worker. */
  readonly osPid?: number;
  readonly children: readonly TreeNode[];
  /** Number of children left out because of the limit in the request. */
  readonly more?: number;
  /** Of `connections`: number of connections in each state. */
  readonly states?: Readonly<Record<string, number>>;
  /** Of `listener`, and of `connections` that has some: name of the listener. */
  readonly listener?: string;
}

/** State of a process, for `drover state`. */
export interface StateView {
  readonly pid: string;
  readonly name: string;
  readonly state?: string;
  /** Its data as `util.inspect` shows it, cut to 16 KiB. */
  readonly data: string;
  /** As of `sys.getStatus`: the other fields that the process reports. */
  readonly status: Readonly<Record<string, unknown>>;
}
