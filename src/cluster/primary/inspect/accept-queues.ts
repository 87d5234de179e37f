/** Accept queues of the listeners, read from the kernel when they are asked for. */

import type { AcceptQueues } from "../../../telemetry/metrics/series/series-row.js";
import { readAcceptOverflows, readAcceptQueues, socketInode } from "../../../transport/accept-queue.js";
import type { PrimaryListener } from "../primary-listener.js";

export function acceptQueues(listeners: readonly PrimaryListener[]): AcceptQueues {
  const queues = readAcceptQueues();
  const waiting = listeners.flatMap(({ name, bound }) => {
    const { fd } = bound.handle as { readonly fd?: number };
    const inode = fd === undefined ? undefined : socketInode(fd);
    const count = inode === undefined ? undefined : queues.get(inode);
    return count === undefined ? [] : { listener: name, count };
  });
  return { waiting, overflows: readAcceptOverflows() };
}
