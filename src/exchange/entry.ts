/**
 * Entry point of the exchange's OS process: says `hello`, receives `boot`, and serves until the primary says `stop`. When
 * the primary is gone, the workers drain: it serves them until the last link closes.
 */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { clock } from "../otp/time/clock.js";
import { chooseTransport } from "../transport/choose-transport.js";
import { Exchange, type ExchangeParts } from "./exchange.js";
import type { ExchangeBoot, FromExchange, ToExchange } from "./ipc.js";
import type { Nodes } from "./nodes/nodes.js";
import type { NodesOptions } from "./nodes/options.js";

/** In milliseconds. */
const NUMBERS_EVERY = 1_000;

export function runExchange(): void {
  let exchange: Exchange | undefined;
  let orphaned = false;
  const post = (message: FromExchange): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const end = (): void => {
    void (exchange?.leave() ?? Promise.resolve()).finally(() => process.exit(0));
  };
  const endIfUnused = (): void => {
    if (orphaned && (exchange?.links ?? 0) === 0) end();
  };
  const boot = async (options: ExchangeBoot): Promise<void> => {
    const { path, workers, takeOver } = options;
    try {
      const { transport } = await chooseTransport(options.transport, false);
      const others = options.nodes && { node: options.nodes.node, nodes: await nodesOf(options, post) };
      exchange = new Exchange({
        ...{ path, transport, workers, takeOver, onLinkClosed: endIfUnused, ...others },
        onContested: (contest) => post({ t: "contested", d: contest }),
        onFailed: (text) => post({ t: "event", d: { level: "error", event: "nodes_failed", text } }),
      });
      await exchange.listen();
    } catch (error) {
      return post({ t: "failed", d: (error as Error).message });
    }
    post({ t: "ready" });
    const report = (): void => {
      if (exchange) post({ t: "numbers", d: exchange.numbers });
      clock.setTimeout(report, NUMBERS_EVERY);
    };
    report();
    process.on("exit", () => {
      if (orphaned) rmSync(dirname(path), { recursive: true, force: true });
    });
  };
  process.on("message", (message: ToExchange) => {
    if (message.t === "boot") void boot(message.d);
    else end();
  });
  process.on("disconnect", () => {
    orphaned = true;
    endIfUnused();
  });
  post({ t: "hello" });
}

/** Loaded only where there are other servers. */
async function nodesOf(
  { nodes: options, startedAt }: ExchangeBoot,
  post: (message: FromExchange) => void,
): Promise<(parts: ExchangeParts) => Nodes> {
  const { nats, cluster, node, nodeTimeout, outside, maxMessage } = options as NodesOptions;
  const [{ NatsCarrier }, { Nodes }, { groupTable, nameTable }, { presenceTable }] = await Promise.all([
    import("./nats/nats-carrier.js"),
    import("./nodes/nodes.js"),
    import("./nodes/rows/row-table.js"),
    import("./nodes/rows/presence-rows.js"),
  ]);
  const Outside = outside ? (await import("./nats/outside.js")).Outside : undefined;
  return (parts) => {
    const carrier = new NatsCarrier({
      ...{ nats, cluster, node },
      outside: Outside && new Outside({ hub: parts.hub, names: parts, maxMessage }),
    });
    return new Nodes(
      { node, nodeTimeout, startedAt },
      {
        ...{
          ...parts,
          carrier,
          tables: [groupTable(parts.hub), nameTable(parts.names), presenceTable(parts.hub)],
        },
        onEvent: (event) => post({ t: "event", d: event }),
        onRefused: (text) => post({ t: "refused", d: text }),
      },
    );
  };
}
