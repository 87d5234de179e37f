/** Where a connection comes from, as protocols see it. */
import type { Pid } from "../../otp/process/pid.js";
import type { ProxyHeader } from "../../proxy/header.js";
import type { TlsInfo } from "../../transport/secure/terms.js";
import type { Peer } from "../../transport/transport.js";

export type { PeerCertificate, TlsInfo } from "../../transport/secure/terms.js";

export interface Arrival {
  readonly pid: Pid;
  /** The client: as the PROXY header says where the listener expects one, else the other end of the socket. */
  readonly peer: Peer;
  /** The proxy, where `peer` comes from its PROXY header. */
  readonly via: Peer | undefined;
  /** The address that the client has connected to: by the PROXY header, else asked of the kernel at each access. */
  readonly local: Peer;
  /** The PROXY header, with its TLVs (host name, ALPN, TLS between client and proxy). */
  readonly proxy: ProxyHeader | undefined;
  /**
   * Version, cipher suite, names and the verified certificate of the other side; `undefined` without TLS. Made when it
   * is asked for first, at the latest in `terminate` before its first `await`.
   */
  readonly tls: TlsInfo | undefined;
  /** Whether `startTls()` can begin TLS: the listener has TLS `by_protocol`, and it has not begun. */
  readonly canStartTls: boolean;
}
