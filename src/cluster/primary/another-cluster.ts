/** Whether a cluster of another program (pm2's cluster mode) has forked this OS process as one of its workers. */
import cluster from "node:cluster";

/** Such an OS process cannot fork workers. */
export function isInsideAnotherCluster(): boolean {
  return !cluster.isPrimary;
}
