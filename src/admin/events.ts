/** What the admin room tells the world: a route that failed, which its caller only sees as a 500. */
import { channel } from "node:diagnostics_channel";

/** `admin.failed`. */
export interface AdminFailure {
  readonly method: string;
  readonly path: string;
  readonly error: unknown;
}

export const adminFailures = channel("admin.failed");
