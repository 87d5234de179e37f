/** What a PROXY header says. Source of all shapes: HAProxy's proxy-protocol.txt, sections 2.1 and 2.2. */
import { readTlvs, type SslInfo, type Tlvs } from "./v2/tlvs.js";

/** Address of one end of the proxied connection. */
export interface ProxyAddress {
  /** IPv4 dotted, IPv6 by RFC 5952; a path for UNIX sockets. */
  readonly address: string;
  /** 0 for UNIX sockets. */
  readonly port: number;
}

/** Kinds of connection that a proxy may announce; `unspecified` is also what UNKNOWN of version 1 means. */
export type ProxyFamily = "tcp4" | "tcp6" | "udp4" | "udp6" | "unix_stream" | "unix_dgram" | "unspecified";

/** The fixed part of a header, without its TLVs. */
export interface ProxyHeaderParts {
  readonly version: 1 | 2;
  readonly local: boolean;
  readonly family: ProxyFamily;
  readonly source: ProxyAddress | undefined;
  readonly destination: ProxyAddress | undefined;
  /** The TLVs as they came, in memory of their own; `undefined` where there are none. */
  readonly tlvs: Uint8Array | undefined;
}

/** A PROXY header that was received: `conn.proxy`. TLVs are read at the first access. */
export class ProxyHeader {
  readonly version: 1 | 2;
  /** Version 2's LOCAL: the proxy's own connection, such as a health check; what else it says is ignored. */
  readonly local: boolean;
  readonly family: ProxyFamily;
  /** The client as the proxy sees it; `undefined` for LOCAL, UNKNOWN and unspecified families. */
  readonly source: ProxyAddress | undefined;
  /** The address that the client connected to. */
  readonly destination: ProxyAddress | undefined;
  #bytes: Uint8Array | undefined;
  #tlvs: Tlvs | undefined = undefined;

  constructor({ version, local, family, source, destination, tlvs }: ProxyHeaderParts) {
    this.version = version;
    this.local = local;
    this.family = family;
    this.source = source;
    this.destination = destination;
    this.#bytes = tlvs;
  }

  /** Whether it names a client of a TCP connection: then that is the peer. Otherwise the real addresses count. */
  get relays(): boolean {
    return !this.local && (this.family === "tcp4" || this.family === "tcp6");
  }

  get #read(): Tlvs {
    this.#tlvs ??= readTlvs(this.#bytes);
    this.#bytes = undefined;
    return this.#tlvs;
  }

  /** Values by type (0 to 255). Of a type that is given twice, the first. */
  get tlvs(): ReadonlyMap<number, Buffer> {
    return this.#read.values;
  }

  /** Protocol that the proxy negotiated by ALPN with the client (PP2_TYPE_ALPN). */
  get alpn(): string | undefined {
    return this.#read.alpn;
  }

  /** Host name that the client asked for, under TLS its SNI (PP2_TYPE_AUTHORITY). */
  get authority(): string | undefined {
    return this.#read.authority;
  }

  /** Name of the connection across proxies, at most 128 bytes (PP2_TYPE_UNIQUE_ID). */
  get uniqueId(): Buffer | undefined {
    return this.#read.uniqueId;
  }

  /** Network namespace (PP2_TYPE_NETNS). */
  get netns(): string | undefined {
    return this.#read.netns;
  }

  /** TLS between client and proxy (PP2_TYPE_SSL). */
  get ssl(): SslInfo | undefined {
    return this.#read.ssl;
  }
}
