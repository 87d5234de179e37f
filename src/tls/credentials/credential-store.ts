/**
 * Credentials of all listeners as they are now, and their reload: a listener's files are read and checked together,
 * and replace the old ones only if all are good.
 */
import { createHash } from "node:crypto";
import { clock, wallTime } from "../../otp/time/clock.js";
import { type OptionName, TlsError } from "../errors.js";
import type { TlsOptions } from "../options.js";
import { readTicketKeys, type TicketKeys } from "../tickets/ticket-keys.js";
import type { Credentials } from "./credentials.js";
import { readCredentials } from "./read-credentials.js";

/** A listener with TLS, as configured. */
export interface TlsListener {
  readonly name: string;
  readonly options: TlsOptions;
  /** Names an option in messages. */
  readonly optionName: OptionName;
}

/** What a listener serves at present. Secret. */
export interface Served {
  readonly credentials: Credentials;
  /** From the file of `ticketKeys`; `undefined`: the keys that the server makes. */
  readonly ticketKeys: TicketKeys | undefined;
}

export interface ReloadResult {
  readonly listener: string;
  readonly result: "reloaded" | "unchanged" | "refused";
  /** Why it was refused, in one line. */
  readonly reason?: string | undefined;
  readonly warnings: readonly string[];
}

/** Certificate and key are two files, and are never written at once. */
const TRIES = 10;
const TRY_EVERY = 1_000;

export class CredentialStore {
  readonly listeners: readonly TlsListener[];
  readonly warnings: readonly string[];
  readonly #served = new Map<string, Served>();
  readonly #fingerprints = new Map<string, string>();
  #running: Promise<unknown> = Promise.resolve();
  /** Of the reload that runs: whether it tries every mistake again, and what ends its pauses. */
  #patient = false;
  readonly #pauses = new Set<() => void>();

  /** @throws TlsError when anything cannot be served */
  constructor(listeners: readonly TlsListener[]) {
    this.listeners = listeners;
    this.warnings = listeners.flatMap((listener) => {
      const { served, warnings } = readListener(listener);
      this.#replace(listener.name, served);
      return warnings;
    });
  }

  /** @returns `undefined`: the listener has no TLS */
  get(listener: string): Served | undefined {
    return this.#served.get(listener);
  }

  /**
   * Reads all files again. One reload at a time.
   * @param patient tries every mistake again, since a file may be half written; else only a pair that does not fit
   */
  reload(patient: boolean): Promise<ReloadResult[]> {
    // An operator wants to know what is wrong now.
    if (!patient) this.#hurry();
    const done = this.#running.then(() => {
      this.#patient = patient;
      return Promise.all(this.listeners.map((listener) => this.#reload(listener)));
    });
    this.#running = done;
    return done;
  }

  #hurry(): void {
    this.#patient = false;
    for (const end of this.#pauses) end();
  }

  async #reload(listener: TlsListener): Promise<ReloadResult> {
    const { name } = listener;
    for (let tries = 1; ; tries++) {
      try {
        const { served, warnings } = readListener(listener);
        return { listener: name, result: this.#replace(name, served) ? "reloaded" : "unchanged", warnings };
      } catch (error) {
        if (!(error instanceof TlsError)) throw error;
        if (tries > TRIES || !(this.#patient || error.unequal))
          return { listener: name, result: "refused", reason: error.message, warnings: [] };
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    let end = () => {};
    const over = new Promise<void>((resolve) => {
      end = resolve;
    });
    const timer = clock.setTimeout(end, TRY_EVERY, true);
    this.#pauses.add(end);
    await over;
    this.#pauses.delete(end);
    clock.clearTimeout(timer);
  }

  /** @returns whether anything has changed */
  #replace(listener: string, served: Served): boolean {
    const fingerprint = createHash("sha256").update(JSON.stringify(served)).digest("base64");
    if (this.#fingerprints.get(listener) === fingerprint) return false;
    this.#fingerprints.set(listener, fingerprint);
    this.#served.set(listener, served);
    return true;
  }
}

function readListener({ name, options, optionName }: TlsListener): { served: Served; warnings: string[] } {
  const { credentials, warnings } = readCredentials(options, name, wallTime(), optionName);
  const all = [...warnings];
  const { ticketKeys: path } = options;
  const ticketKeys = path === undefined ? undefined : readTicketKeys(path, optionName("ticketKeys"), all);
  return { served: { credentials, ticketKeys }, warnings: all };
}
