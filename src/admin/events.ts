/** Diagnostics channel of failed routes: the client gets a 500 without the error. */
import { channel } from "node:diagnostics_channel";

/** `admin.failed`. */
export interface AdminFailure {
  readonly method: string;
  readonly path: string;
  readonly error: unknown;
}

export const adminFailures = channel("admin.failed");
