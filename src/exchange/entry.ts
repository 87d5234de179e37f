/**
 * Entry point of the exchange's OS process: says `hello`, receives `boot`, and serves until the primary says `stop`. When
 * the primary is gone, the workers drain: it serves them until the last link closes.
 */
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { clock } from "../otp/time/clock.js";
import { Exchange } from "./exchange.js";
import type { ExchangeBoot, FromExchange, ToExchange } from "./ipc.js";

/** In milliseconds. */
const NUMBERS_EVERY = 1_000;

export function runExchange(): void {
  let exchange: Exchange | undefined;
  let orphaned = false;
  const post = (message: FromExchange): void => {
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  };
  const endIfUnused = (): void => {
    if (orphaned && (exchange?.links ?? 0) === 0) process.exit(0);
  };
  const boot = async ({ path, workers }: ExchangeBoot): Promise<void> => {
    exchange = new Exchange({ path, workers, onLinkClosed: endIfUnused });
    try {
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
    else process.exit(0);
  });
  process.on("disconnect", () => {
    orphaned = true;
    endIfUnused();
  });
  post({ t: "hello" });
}
