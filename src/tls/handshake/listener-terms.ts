/** Terms of the handshakes of one listener: certificate by name, protocols (ALPN), client certificates, tickets. */
import type { SecureContext } from "node:tls";
import { wallTime } from "../../otp/time/clock.js";
import type { PeerCertificate, ServerTerms } from "../../transport/secure/terms.js";
import type { Credentials } from "../credentials/credentials.js";
import type { ClientCerts } from "../options.js";
import { hasOtherTicket, prepareTickets, setCurrentKey, useAllKeys } from "../tickets/ticket-callback.js";
import type { TicketKeys } from "../tickets/ticket-keys.js";
import { alpnBytes } from "./alpn.js";
import { NameTable } from "./names.js";
import { SecureContexts } from "./secure-contexts.js";

/** Made anew at each reload; handshakes that have begun keep theirs. */
export class ListenerTerms implements ServerTerms {
  readonly side = "server";
  readonly listener: string;
  readonly byName: boolean;
  readonly alpn: Buffer | undefined;
  readonly clientCerts: ClientCerts;
  readonly #names: NameTable;
  readonly #contexts: SecureContexts;
  readonly #strictNames: boolean;
  readonly #ticketKeys: () => TicketKeys;
  /** Those that the contexts have. */
  #keysSet: TicketKeys;
  /** As the first context, with all ticket keys; made when the first ticket of another key comes. */
  #allKeys: SecureContext | undefined = undefined;

  /** @param ticketKeys another array after each rotation */
  constructor(listener: string, credentials: Credentials, ticketKeys: () => TicketKeys) {
    const { pairs, alpn, clientCerts, strictNames } = credentials;
    this.listener = listener;
    this.byName = pairs.length > 1 || strictNames;
    this.alpn = alpn.length === 0 ? undefined : alpnBytes(alpn);
    this.clientCerts = clientCerts;
    this.#names = new NameTable(pairs.map(({ names }) => names));
    this.#contexts = new SecureContexts(credentials, (context) => prepareTickets(context, ticketKeys));
    this.#strictNames = strictNames;
    this.#ticketKeys = ticketKeys;
    this.#keysSet = ticketKeys();
  }

  get context(): SecureContext {
    this.#setKeys();
    if (this.#allKeys === undefined) {
      this.#allKeys = this.#contexts.make(0);
      useAllKeys(this.#allKeys);
    }
    return this.#allKeys;
  }

  contextOf(hello: Buffer): SecureContext {
    if (hasOtherTicket(hello, this.#ticketKeys())) return this.context;
    this.#setKeys();
    return this.#contexts.take(0);
  }

  /** After a rotation. */
  #setKeys(): void {
    const keys = this.#ticketKeys();
    if (keys === this.#keysSet) return;
    this.#keysSet = keys;
    for (const context of this.#contexts.kept) setCurrentKey(context, keys);
    if (this.#allKeys) setCurrentKey(this.#allKeys, keys);
  }

  contextFor(serverName: string): SecureContext | undefined {
    const at = this.#names.find(serverName) ?? (this.#strictNames ? undefined : 0);
    return at === undefined ? undefined : this.#contexts.take(at);
  }

  /** OpenSSL looks at dates when a session begins, and not when it is resumed. */
  refuses({ validTo }: PeerCertificate): string | undefined {
    return wallTime() <= validTo.getTime() ? undefined : `has expired on ${validTo.toISOString()}`;
  }
}
