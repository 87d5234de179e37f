/** TLS of one listener in the OS process that accepts: the terms of its next handshake, replaced at a reload. */
import type { Credentials } from "../credentials/credentials.js";
import type { TicketKeys } from "../tickets/ticket-keys.js";
import { ListenerTerms } from "./listener-terms.js";

/** What is replaced; a part that is absent stays as it is. Secret. */
export interface TlsUpdate {
  readonly credentials?: Credentials | undefined;
  readonly ticketKeys?: TicketKeys | undefined;
}

export class ServerTls {
  readonly #listener: string;
  #ticketKeys: TicketKeys;
  #terms: ListenerTerms;

  constructor(listener: string, { credentials, ticketKeys }: Required<TlsUpdate>) {
    this.#listener = listener;
    this.#ticketKeys = buffers(ticketKeys as TicketKeys);
    this.#terms = this.#make(credentials as Credentials);
  }

  /** Terms of a handshake that begins now. */
  get terms(): ListenerTerms {
    return this.#terms;
  }

  replace({ credentials, ticketKeys }: TlsUpdate): void {
    if (ticketKeys !== undefined) this.#ticketKeys = buffers(ticketKeys);
    if (credentials !== undefined) this.#terms = this.#make(credentials);
  }

  #make(credentials: Credentials): ListenerTerms {
    return new ListenerTerms(this.#listener, credentials, () => this.#ticketKeys);
  }
}

/** The IPC channel makes a Uint8Array of a Buffer. */
function buffers(keys: TicketKeys): TicketKeys {
  return keys.map((key) => Buffer.from(key));
}
