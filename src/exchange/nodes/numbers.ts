/** What the primary shows of the nodes: plain data, once a second. */
import { clock } from "../../otp/time/clock.js";
import type { CarrierStatus } from "./carrier.js";
import type { Nodes } from "./nodes.js";
import type { PeerState } from "./peer/peer.js";

export interface NodeNumbers {
  readonly node: string;
  readonly state: PeerState;
  /** Seconds in this state. */
  readonly seconds: number;
  /** In milliseconds, with the exchanges of both servers; `undefined`: down, or not measured yet. */
  readonly roundTrip: number | undefined;
  /** Bytes that wait for it. */
  readonly waiting: number;
}

export interface NodesNumbers {
  /** Name of this server. */
  readonly node: string;
  readonly carrier: CarrierStatus;
  /** The other servers. */
  readonly nodes: readonly NodeNumbers[];
  /** Servers that were found gone. */
  readonly lost: number;
  readonly resyncs: number;
  /** Largest difference of our wall clock to that of a server that is up, in milliseconds. */
  readonly clockDifference: number;
  /** Messages that did not leave, or were lost on the way. */
  readonly dropped: { readonly unreachable: number; readonly outbox: number; readonly too_large: number };
  /** Records that were not understood, and those of a newer version. */
  readonly malformed: number;
  readonly unknown: number;
}

export function nodesNumbers(nodes: Nodes): NodesNumbers {
  const now = clock.now();
  const list = nodes.peers.map(({ node, state, since, stream, roundTrip: { ms } }) => ({
    ...{ node, state, waiting: stream.waiting },
    seconds: Math.round((now - since) / 1_000),
    roundTrip: ms === undefined ? undefined : Math.round(1_000 * ms) / 1_000,
  }));
  const clocks = nodes.peers.map(({ state, clockAhead }) => (state === "up" ? Math.abs(clockAhead) : 0));
  const { malformed, unknown, lost } = nodes.incoming;
  return {
    ...{ node: nodes.node, carrier: nodes.carrier.status, malformed, unknown },
    nodes: list.sort((a, b) => (a.node < b.node ? -1 : 1)),
    clockDifference: Math.round(Math.max(0, ...clocks)),
    ...{ lost: nodes.lost, resyncs: nodes.resyncs, dropped: { ...nodes.dropped, unreachable: lost } },
  };
}
