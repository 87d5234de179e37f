/** Reports and events as the other rooms publish them. */
import type { ChildReport, CrashReport, SupervisorReport } from "../../src/otp/events.js";
import { Pid } from "../../src/otp/process/pid.js";
import {
  CLOSE_REASONS,
  type ConnectionClosed,
  type ListenerEvent,
  REFUSE_REASONS,
} from "../../src/tcp/observe/events.js";
import {
  LISTENER_GAUGES,
  LISTENER_TOTALS,
  type ListenerSnapshot,
  type Snapshot,
  WORKER_GAUGES,
  WORKER_TOTALS,
} from "../../src/telemetry/metrics/snapshot.js";

/** 22-Nov-2026, 16:08:22.879 in whatever time zone the tests run. */
export const WHEN = new Date(2026, 10, 22, 16, 8, 22, 879).getTime();

export const echoChild: ChildReport = {
  pid: new Pid(1, 17),
  id: undefined,
  mfargs: ["echo", "start_link", []],
  restartType: "temporary",
  significant: false,
  shutdown: 2000,
  childType: "worker",
};

export const killed: SupervisorReport = {
  supervisor: "connections",
  errorContext: "child_terminated",
  reason: "killed",
  offender: echoChild,
};

export function crashWith(reason: CrashReport["reason"]): CrashReport {
  return {
    initialCall: "echo:init/1",
    pid: new Pid(1, 17),
    registeredName: undefined,
    label: "echo ready",
    reason,
    ancestors: [new Pid(1, 3), new Pid(1, 2)],
    messageQueueLength: 4,
    links: [new Pid(1, 3)],
    trapExit: false,
  };
}

/** An error whose stack is the same everywhere. */
export function typeError(message = "boom"): TypeError {
  const error = new TypeError(message);
  error.stack = `TypeError: ${message}\n    at frame (echo.ts:7:3)\n    at run (connection.ts:9:1)`;
  return error;
}

/** An error of which one property cannot be read. */
export function hostile(key: string): TypeError {
  return Object.defineProperty(typeError(), key, {
    get: () => {
      throw new Error(`no ${key} for you`);
    },
  });
}

export const listening: ListenerEvent = {
  pid: new Pid(1, 4),
  listener: "main",
  what: "listening",
  address: "::",
  port: 2222,
};

export const closedIdle: ConnectionClosed = {
  pid: new Pid(1, 17),
  protocol: "echo",
  peer: { address: "10.0.0.7", port: 51234 },
  reason: { shutdown: "idle" },
  counted: "idle",
  state: "ready",
  framesReceived: 3,
  framesSent: 2,
};

type Numbers = Record<string, number>;

interface Given {
  readonly totals?: Numbers;
  readonly gauges?: Numbers;
  readonly closed?: Numbers;
  readonly refused?: Numbers;
}

/** A snapshot of zeros but for what is given, of a worker with one listener unless more are given. */
export function snapshot(given: Given = {}, ...more: Given[]): Snapshot {
  return {
    totals: filled(WORKER_TOTALS, given.totals),
    gauges: filled(WORKER_GAUGES, given.gauges),
    listeners: [given, ...more].map(
      ({ totals, gauges, closed, refused }) =>
        ({
          totals: filled(LISTENER_TOTALS, totals),
          gauges: filled(LISTENER_GAUGES, gauges),
          closed: filled(CLOSE_REASONS, closed),
          refused: filled(REFUSE_REASONS, refused),
        }) as ListenerSnapshot,
    ),
  } as unknown as Snapshot;
}

function filled(names: readonly string[], given: Numbers = {}): Numbers {
  return Object.fromEntries(names.map((name) => [name, given[name] ?? 0]));
}

/** The listener `main`, as metrics know it. */
export const MAIN = { name: "main", protocol: "echo", address: "[::]:2222" };
