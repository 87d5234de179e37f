/** Connections that the file-descriptor limit of an OS process allows. */
import { maxDescriptors } from "../telemetry/metrics/os-process.js";

/** Descriptors that a worker needs besides its connections, with a margin. */
const RESERVED = 128;
/** Where the system does not report a limit: the default of macOS. */
const ASSUMED = 10_240;
/** Upper bound, also for `unlimited`: the connections are divided among the workers. */
const MAX = 2 ** 20;

/** Connections of one worker. @param limit of descriptors; 0: unknown */
export function connectionRoom(limit: number): number {
  return Math.max(1, Math.min(limit === 0 ? ASSUMED : limit, MAX) - RESERVED);
}

/** Source for checks of the configuration; empty where the limit is unknown. */
export function descriptorLimits(): { readonly maxDescriptors?: number } {
  const limit = maxDescriptors();
  return limit > RESERVED ? { maxDescriptors: limit - RESERVED } : {};
}
