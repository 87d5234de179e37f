/** Notification of systemd (sd_notify): the socket that it listens on, and how often it wants to hear of a service. */
import type { Environment } from "./options/row.js";

export const NOTIFY_VARIABLES = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] as const;

export interface NotifySocket {
  /** Path of a UNIX datagram socket, or `@name` of an abstract one. */
  readonly path: string;
  /** `WatchdogSec=` in milliseconds; `undefined`: systemd does not watch. */
  readonly watchdogMs: number | undefined;
}

/** @param osPid id of this OS process: a watchdog may be meant for another one */
export function readNotifySocket(env: Environment, osPid: number): NotifySocket | undefined {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: microseconds, WATCHDOG_PID: pid } = env;
  // Other kinds of address (`vsock:`) are for virtual machines.
  if (path === undefined || !/^[/@]/.test(path)) return undefined;
  const meant = pid === undefined || pid === String(osPid);
  const watchdogMs = Math.floor(Number(microseconds) / 1_000);
  return { path, watchdogMs: meant && watchdogMs > 0 ? watchdogMs : undefined };
}
