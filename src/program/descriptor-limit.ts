/** How many connections the descriptors of an OS process allow. */
import { maxDescriptors } from "../telemetry/metrics/os-process.js";

/** What a worker needs besides its connections, with room to spare. */
const RESERVED = 128;
/** Where the system does not say what its limit is: macOS allows as many. */
const ASSUMED = 10_240;
/** What has no limit must still be a number that can be shared out. */
const MOST = 2 ** 20;

/**
 * Connections for which one worker has descriptors.
 * @param limit of descriptors; 0 where it is not known
 */
export function connectionRoom(limit: number): number {
  return Math.max(1, Math.min(limit === 0 ? ASSUMED : limit, MOST) - RESERVED);
}

/** What options are compared with: nothing where the limit is not known. */
export function descriptorLimits(): { readonly maxDescriptors?: number } {
  const limit = maxDescriptors();
  return limit > RESERVED ? { maxDescriptors: limit - RESERVED } : {};
}
