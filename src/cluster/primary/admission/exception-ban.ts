/**
 * Bans a client address after an exception outside of any process that code of one of its connections has thrown: each
 * ends a worker with all its clients, and a client that causes one a second would end the server.
 */
import type { Log } from "../../../telemetry/log/log.js";
import { addressGroup } from "../../../text/address-group.js";
import { durationText } from "../../../text/duration.js";

export interface ExceptionBanOptions {
  /** Milliseconds; 0: never. */
  readonly ms: number;
  readonly log: Pick<Log, "warn">;
  /** Refuses new connections of the group in all workers, and ends those that are open. */
  ban(group: string, ms: number): void;
}

/** @param worker its label @param address of the client, as an IP address */
export function banThrower(worker: string, address: string, { ms, log, ban }: ExceptionBanOptions): void {
  if (ms === 0) return;
  const group = addressGroup(address);
  ban(group, ms);
  const time = ms === Infinity ? "until the restart" : `for ${durationText(ms)}`;
  log.warn(
    `Banned ${group} ${time}: code of its connection has thrown outside of any process, which ended ${worker} (--exception-ban); \`drover unban ${group}\` lifts it`,
    { event: "exception_ban", address: group },
  );
}
