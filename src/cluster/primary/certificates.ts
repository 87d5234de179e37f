/**
 * Certificates and ticket keys of all listeners with TLS: read by the primary, sent to the workers, replaced while
 * they serve. Live connections notice nothing; a worker that starts gets the newest.
 */
import { wallTime } from "../../otp/time/clock.js";
import type { Log } from "../../telemetry/log/log.js";
import type { CredentialStore, ReloadResult, Served } from "../../tls/credentials/credential-store.js";
import { FileWatch, filesOf } from "../../tls/credentials/file-watch.js";
import type { TlsUpdate } from "../../tls/handshake/server-tls.js";
import { TicketKeyRotation } from "../../tls/tickets/ticket-keys.js";

/** A certificate that is served, for metrics and `drover info`. */
export interface ServedCertificate {
  readonly listener: string;
  readonly name: string;
  /** Negative once it has expired. */
  readonly secondsLeft: number;
}

/** What the certificates report to. */
export interface CertificateOwner {
  readonly log: Pick<Log, "info" | "warn" | "error">;
  /** Sends an update to all workers. */
  send(listener: string, update: TlsUpdate): void;
  /** Counts a reload. */
  reloaded(result: ReloadResult["result"]): void;
}

export class Certificates {
  readonly #store: CredentialStore;
  readonly #owner: CertificateOwner;
  readonly #rotation: TicketKeyRotation;
  readonly #watch: FileWatch;

  constructor(store: CredentialStore, owner: CertificateOwner) {
    this.#store = store;
    this.#owner = owner;
    this.#rotation = new TicketKeyRotation((ticketKeys) => {
      for (const { name } of store.listeners)
        if (store.get(name)?.ticketKeys === undefined) owner.send(name, { ticketKeys });
    });
    const files = store.listeners.flatMap(({ options }) => filesOf(options));
    this.#watch = new FileWatch(files, () => void this.reload("the files have changed", true));
  }

  start(): void {
    if (this.#store.listeners.length === 0) return;
    this.#rotation.start();
    this.#watch.start();
  }

  stop(): void {
    this.#rotation.stop();
    this.#watch.stop();
  }

  /** What a worker needs now, by listener with TLS. Secret. */
  boot(): Record<string, Required<TlsUpdate>> {
    return Object.fromEntries(this.#store.listeners.map(({ name }) => [name, this.#of(name)]));
  }

  #of(listener: string): Required<TlsUpdate> {
    const served = this.#store.get(listener) as Served;
    return { ...served, ticketKeys: served.ticketKeys ?? this.#rotation.keys };
  }

  /**
   * Reads all files again, and sends what has changed to the workers.
   * @param why for the log
   * @param patient whether files may be half written
   */
  async reload(why: string, patient = false): Promise<readonly ReloadResult[]> {
    const results = await this.#store.reload(patient);
    for (const one of results) this.#report(one, why);
    return results;
  }

  /** All certificates that are served. */
  get served(): readonly ServedCertificate[] {
    const now = wallTime();
    return this.#store.listeners.flatMap(({ name: listener }) =>
      (this.#store.get(listener)?.credentials.pairs ?? []).map(({ name, validTo }) => ({
        ...{ listener, name },
        secondsLeft: Math.round((validTo - now) / 1000),
      })),
    );
  }

  #report({ listener, result, reason, warnings }: ReloadResult, why: string): void {
    const { log } = this.#owner;
    this.#owner.reloaded(result);
    if (result === "reloaded") {
      this.#owner.send(listener, this.#of(listener));
      log.info(`certificates of listener ${listener} reloaded (${why}): new handshakes use them`, {
        listener,
      });
    }
    if (result === "refused")
      log.error(`certificates of listener ${listener} not reloaded, the old ones stay: ${reason}`, {
        listener,
      });
    for (const warning of warnings) log.warn(warning, { listener });
  }
}
