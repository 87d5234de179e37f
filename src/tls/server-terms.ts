/** Terms of the handshakes of one listener: certificates by name, protocols by ALPN, client certificates, tickets. */
import type { SecureContext } from "node:tls";
import { alpnBytes } from "./alpn.js";
import type { Credentials } from "./credentials.js";
import { NameTable } from "./names.js";
import type { ClientCerts } from "./options.js";
import { SecureContexts } from "./secure-contexts.js";
import { useTicketKeys } from "./ticket-callback.js";
import type { TicketKeys } from "./ticket-keys.js";

/** Made anew at each reload; handshakes that have begun keep theirs. */
export class ServerTerms {
  readonly clientCerts: ClientCerts;
  readonly alpn: Buffer | undefined;
  readonly #names: NameTable;
  readonly #contexts: SecureContexts;
  readonly #strictNames: boolean;

  /** @param ticketKeys asked at each ticket */
  constructor(credentials: Credentials, ticketKeys: () => TicketKeys) {
    const { pairs, alpn, clientCerts, strictNames } = credentials;
    this.clientCerts = clientCerts;
    this.alpn = alpn.length === 0 ? undefined : alpnBytes(alpn);
    this.#names = new NameTable(pairs.map(({ names }) => names));
    this.#contexts = new SecureContexts(credentials, (context) => useTicketKeys(context, ticketKeys));
    this.#strictNames = strictNames;
  }

  /** Context for a client that asks for no name, and to begin with. */
  get context(): SecureContext {
    return this.#contexts.take(0);
  }

  /** @returns the context for the name that a client asks for; `undefined`: the connection is closed */
  contextFor(name: string): SecureContext | undefined {
    const at = this.#names.find(name) ?? (this.#strictNames ? undefined : 0);
    return at === undefined ? undefined : this.#contexts.take(at);
  }
}
