/** TLS of this worker's listeners: what the primary has sent last. */
import { ServerTls, type TlsUpdate } from "../../../tls/handshake/server-tls.js";
import type { Boot } from "../../channel/boot-message.js";

export class WorkerTls {
  readonly #listeners = new Map<string, ServerTls>();

  constructor({ tls }: Pick<Boot, "tls">) {
    for (const [listener, present] of Object.entries(tls))
      this.#listeners.set(listener, new ServerTls(listener, present));
  }

  /** @returns `undefined`: the listener is plain */
  of(listener: string): ServerTls | undefined {
    return this.#listeners.get(listener);
  }

  /** Live connections, and handshakes that have begun, keep what they have. */
  replace(listener: string, update: TlsUpdate): void {
    this.#listeners.get(listener)?.replace(update);
  }
}
