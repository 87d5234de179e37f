/** The servers of a cluster, as the outside sees them. */

export interface NodeView {
  readonly node: string;
  /** `joining`: heard of, but what it has is not known yet. `down`: silent, or gone. */
  readonly state: "joining" | "up" | "down";
  /** Seconds in this state. */
  readonly seconds: number;
  /** In milliseconds, mean of about the last second; `undefined`: down, or not measured yet. */
  readonly roundTrip: number | undefined;
  /** Bytes that wait for it. */
  readonly waiting: number;
}

export interface NodeList {
  /** Name of this server. */
  readonly node: string;
  /** What carries messages between servers. */
  readonly carrier: {
    readonly name: string;
    readonly up: boolean;
    readonly server: string | undefined;
    /** In milliseconds. */
    readonly roundTrip: number | undefined;
    readonly reconnects: number;
  };
  /** The other servers, by name. */
  readonly nodes: readonly NodeView[];
}
