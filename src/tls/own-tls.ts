/** TLS of a server that is in the user's own OS process: it reads the files, and makes the ticket keys, itself. */
import { CredentialStore, type ReloadResult, type Served } from "./credentials/credential-store.js";
import { TlsError } from "./errors.js";
import { ServerTls } from "./handshake/server-tls.js";
import type { TlsOptions } from "./options.js";
import { TicketKeyRotation, type TicketKeys } from "./tickets/ticket-keys.js";

export class OwnTls {
  readonly tls: ServerTls;
  readonly #listener: string;
  readonly #store: CredentialStore;
  readonly #rotation = new TicketKeyRotation((keys) => this.#rotated(keys));

  /** @throws TlsError when a certificate or key cannot be served */
  constructor(listener: string, options: TlsOptions) {
    this.#listener = listener;
    this.#store = new CredentialStore([{ name: listener, options, optionName: (name) => `tls.${name}` }]);
    const { credentials, ticketKeys = this.#rotation.keys } = this.#served;
    this.tls = new ServerTls(listener, { credentials, ticketKeys });
    this.#rotation.start();
  }

  get #served(): Served {
    return this.#store.get(this.#listener) as Served;
  }

  /**
   * Reads the files again; new handshakes use them.
   * @throws TlsError what is wrong; then the old ones stay
   */
  async reload(): Promise<void> {
    const [{ result, reason = "" }] = (await this.#store.reload(false)) as [ReloadResult];
    if (result === "refused") throw new TlsError(reason);
    this.tls.replace(this.#served);
  }

  stop(): void {
    this.#rotation.stop();
  }

  #rotated(ticketKeys: TicketKeys): void {
    if (this.#served.ticketKeys === undefined) this.tls.replace({ ticketKeys });
  }
}
