/** Diagnostics channels of the admin server: failed routes, a port that is taken at a restart, a control socket that was removed. */
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
