/**
 * The exchange as the primary has it: whether it is needed, the folder of its socket, and its present OS process. Needed
 * where a protocol takes messages of groups and there is more than one worker, or NATS; `scale` may start it later.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CarrierEvent } from "../../../exchange/nodes/carrier.js";
import type { NodesOptions } from "../../../exchange/nodes/options.js";
import type { Contest } from "../../../groups/hub/name-row.js";
import { processOf } from "../../../otp/process/process.js";
import type { ChildSpec } from "../../../otp/supervisor/child-spec.js";
import type { ExchangeSample } from "../../../telemetry/metrics/series/series-row.js";
import type { Transport } from "../../../transport/transport.js";
import { ExchangeProcess } from "./exchange-process.js";
import { ExchangeSamples } from "./exchange-sample.js";

export interface ExchangeOptions {
  /** Whether a protocol takes messages of groups. */
  readonly wanted: boolean;
  readonly exec: string;
  /** Of the control socket: it can be written to, also where the temporary folder cannot. */
  readonly folder: string;
  /** The cluster over NATS; `undefined`: this machine only. */
  readonly nodes: NodesOptions | undefined;
  /** Milliseconds that a claim waits for the holder. */
  readonly takeOver: number;
  /** Of its links. */
  readonly transport: Transport["name"];
  /** Number of workers that run. */
  running(): number;
  /** Something that belongs into the log. */
  onEvent(event: CarrierEvent): void;
  onContested(contest: Contest): void;
  /** The cluster has an older server of this name. */
  onRefused(text: string): void;
}

/** Longest path of a UNIX socket in bytes, with some room. */
const MAX_PATH = 96;
const SOCKET = "s";

/** Of mode 0700: only this user reaches the socket. */
function makeFolder(beside: string): string {
  const long = Buffer.byteLength(join(beside, "exchange-XXXXXX", SOCKET)) > MAX_PATH;
  return mkdtempSync(join(long ? tmpdir() : beside, "exchange-"));
}

export class PrimaryExchange {
  process: ExchangeProcess | undefined = undefined;
  readonly #options: ExchangeOptions;
  readonly #samples = new ExchangeSamples();
  #folder: string | undefined = undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  /** Whether one is needed with so many workers. */
  needed(workers: number): boolean {
    const { wanted, nodes } = this.#options;
    return wanted && (workers > 1 || nodes !== undefined);
  }

  /** Path of its socket; `undefined` before it was started. */
  get path(): string | undefined {
    return this.#folder && join(this.#folder, SOCKET);
  }

  /** Child specification, for the supervisor. */
  childSpec(): ChildSpec {
    return {
      id: "exchange",
      mfargs: ["exchange", "start_link", []],
      shutdown: "2s",
      start: async (parent) => {
        this.#folder ??= makeFolder(this.#options.folder);
        const { exec, nodes, transport, running, takeOver, onEvent, onContested, onRefused } = this.#options;
        const own = { startedAt: performance.timeOrigin, takeOver, transport };
        const boot = () => ({ ...own, path: this.path as string, workers: running(), nodes });
        this.process = new ExchangeProcess(
          { exec, boot, onEvent, onContested, onRefused },
          processOf(parent),
        );
        await this.process.init();
        return this.process.pid;
      },
    };
  }

  /** For the metrics; `undefined` before it was started. */
  get sample(): ExchangeSample | undefined {
    const { process } = this;
    if (!process) return undefined;
    return this.#samples.of(process);
  }

  /** The program ends: removes the folder. */
  remove(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}
