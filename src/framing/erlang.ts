/**
 * The packet types of Erlang's `{packet, Type}` under their own names, with the options `packetSize`, `lineLength` and
 * `lineDelimiter`: `erlang.asn1({ packetSize: 4096 })`. `raw`, 1, 2 and 4 are `raw()` and `packet(1 | 2 | 4)`.
 */

export type * from "./http/frames.js";
export { type HttpOptions, http, httpBin, httph, httphBin } from "./http/http.js";
export { asn1 } from "./length/asn1.js";
export { cdr } from "./length/cdr.js";
export { fcgi } from "./length/fcgi.js";
export type { PacketSizeOptions } from "./length/fixed-header.js";
export { type ReceivedTlsRecord, sslTls, type TlsRecord } from "./length/ssl-tls.js";
export { sunrm } from "./length/sunrm.js";
export { tpkt } from "./length/tpkt.js";
export { type LineOptions, line } from "./text/erlang-line.js";
