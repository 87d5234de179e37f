/**
 * Ports at which debuggers attach to workers (`--inspect`). The primary listens and passes the bytes on to the worker's
 * own inspector: Node does not tell whether a debugger is attached, the way through here does. The ports also outlive
 * the workers, so that a debugger finds the replacement where it was.
 */
import type { Log } from "../../../telemetry/log/log.js";
import { InspectorPort } from "./inspector-port.js";

const MAX_PORT = 65_535;

export class Inspectors {
  readonly #first: number;
  readonly #log: Pick<Log, "info" | "warn">;
  /** By worker slot. */
  readonly #ports = new Map<number, InspectorPort>();

  /** @param first port of worker 1; 0: any free port for each */
  constructor(first: number, log: Pick<Log, "info" | "warn">) {
    this.#first = first;
    this.#log = log;
  }

  /**
   * A worker that has started can be debugged.
   * @param url of its own inspector
   * @param onAttached called with true before a debugger attaches, which waits for it, and with false when none is left
   */
  async open(slot: number, url: string, onAttached: (attached: boolean) => Promise<void>): Promise<void> {
    const inspector = /^ws:\/\/127\.0\.0\.1:(\d+)\/([0-9a-f-]+)$/.exec(url);
    if (inspector === null) return;
    const [, own = "", id = ""] = inspector;
    const port = this.#ports.get(slot) ?? new InspectorPort();
    this.#ports.set(slot, port);
    port.target = {
      port: Number(own),
      onAttached: (attached) => {
        this.#log.info(`debugger ${attached ? "attached to" : "detached from"} worker ${slot}`);
        return onAttached(attached);
      },
    };
    const listening = await this.#listen(slot, port);
    if (listening !== undefined)
      this.#log.info(`worker ${slot} can be debugged at ws://127.0.0.1:${listening}/${id}`);
  }

  async #listen(slot: number, port: InspectorPort): Promise<number | undefined> {
    const wanted = this.#first === 0 ? 0 : this.#first + slot - 1;
    try {
      return await port.listen(wanted > MAX_PORT ? 0 : wanted);
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      this.#log.warn(
        `cannot listen for debuggers of worker ${slot} on 127.0.0.1:${wanted} (${code}): taking a free port; choose others with --inspect=PORT`,
      );
    }
    return port.listen(0).catch(() => undefined);
  }

  /** The worker is gone, or exits: a debugger that is attached would hold it up. */
  close(slot: number): void {
    this.#ports.get(slot)?.disconnect();
  }

  closeAll(): void {
    for (const port of this.#ports.values()) port.close();
  }
}
