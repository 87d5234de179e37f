/** Diagnostics channels of the admin server: changes from outside, failed routes, a want of descriptors, a port that is taken at a restart, a control socket that was removed. */
import { channel } from "node:diagnostics_channel";

/** `admin.failed`: the client gets a 500 without the error. */
export interface AdminFailure {
  readonly method: string;
  readonly path: string;
  readonly error: unknown;
}

export const adminFailures = channel("admin.failed");

/** `admin.control_socket`: the socket was removed from its path. */
export interface ControlSocketEvent {
  readonly path: string;
  /** Why it cannot be created again; `undefined`: it has been. */
  readonly failure: string | undefined;
}

export const controlSocketEvents = channel("admin.control_socket");

/** `admin.port`: at a restart of the admin server the TCP port could not be bound. */
export interface AdminPortEvent {
  readonly host: string;
  readonly port: number;
  /** Code of the platform, while it is tried again; `undefined`: it is bound. */
  readonly failure: string | undefined;
}

export const adminPortEvents = channel("admin.port");

/** `admin.descriptors`: this OS process has no file descriptor left. */
export interface DescriptorShortage {
  /** Number of those that were kept for the admin server. */
  readonly released: number;
}

export const descriptorShortages = channel("admin.descriptors");

/** `admin.change`: a change of the running program that was asked for from outside, carried out or not. */
export interface AdminChange {
  /** Name of the route: `kill`, `scale`; `stop`, `reload-tls` and `reopen-log` of a signal. */
  readonly action: string;
  readonly via: "control_socket" | "admin_port" | "signal" | "parent";
  /** Proven by the way: what only this user, or only the holder of the token, can do. */
  readonly by: string;
  /** Client of the admin port. */
  readonly address?: string;
  /** What the client says of itself (`User-Agent`): not proven. */
  readonly client?: string;
  /** What was asked for: parameters and body, without the message of an ask or a publish. */
  readonly request: Readonly<Record<string, unknown>>;
  /** `refused`: not permitted, not valid, or not possible now. */
  readonly result: "ok" | "refused" | "failed";
  /** Status of the HTTP answer. */
  readonly status?: number;
  /** Why it was refused or has failed. */
  readonly error?: string;
  /** Milliseconds. */
  readonly durationMs: number;
}

export const adminChanges = channel("admin.change");

/** Publishes a change, and passes it on for the metric. */
export function reportChange(onChange: ((change: AdminChange) => void) | undefined) {
  return (change: AdminChange): void => {
    if (adminChanges.hasSubscribers) adminChanges.publish(change);
    onChange?.(change);
  };
}
