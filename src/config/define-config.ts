/** Types of a configuration file in JavaScript or TypeScript. Protocols import it, so it brings no code of the options. */
import type { Duration } from "../otp/time/duration.js";
import type { ProxyConfig } from "./listeners/proxy.js";
import type { TlsConfig } from "./listeners/tls.js";
import type { Settings } from "./options/options.js";

/** Content of a configuration file. Relative paths begin in its directory. */
export interface ConfigFileSettings extends Settings {
  /** 1 to 64 listeners, instead of the one that `port`, `host` or `path` describe. */
  readonly listeners?: readonly ListenerSettings[];
  /** Options of the protocols of all listeners, which check them. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What all listeners have in common. */
interface CommonSettings {
  /** Unique: `[a-z][a-z0-9_-]{0,31}`. Label of its metrics, argument of `drover suspend`. */
  readonly name: string;
  /** Default: the option of this name. */
  readonly transport?: "auto" | "handle" | "stream";
  /** Maximum open connections of this listener over all workers. Default: only the limit of all listeners together. */
  readonly maxConnections?: number;
  /** What a client meets at its limit, or that of all listeners. Default: the option of this name. */
  readonly whenFull?: "queue" | "refuse" | "shed";
  /** New connections a second of this listener over all workers: `100`, `"100:500"`. Default: only the option of this name. */
  readonly acceptRate?: number | string;
  /** Default: the option of this name. */
  readonly backlog?: number;
  /** Default: the option of this name. */
  readonly shutdown?: Duration;
  /** Default: the option of this name, else the protocol's own. */
  readonly idleTimeout?: Duration;
  /** Time from accept to the first whole frame. Default: the option of this name, else the protocol's own. */
  readonly firstFrame?: Duration;
  /** Time from accept after which a connection is closed. Default: the option of this name, else the protocol's own. */
  readonly lifetime?: Duration;
  /** Frames of one connection a second. Default: the option of this name, else the protocol's own. */
  readonly framesPerSecond?: number;
  /** Bytes that one connection sends a second: `65536`, `"64K"`. Default: the option of this name, else the protocol's own. */
  readonly bytesPerSecond?: number | string;
  /** The only networks whose clients are admitted. Default: the option of this name. */
  readonly allow?: readonly string[];
  /** Networks whose clients are refused. Default: the option of this name. */
  readonly deny?: readonly string[];
  /** Maximum open connections of one client address at this listener. Default: only the option of this name. */
  readonly maxPerAddress?: number;
  /** New connections a second of one client address: `10`, `"10:50"`. Default: only the option of this name. */
  readonly addressRate?: number | string;
  /** For how long an address is refused that exceeds one of these. Default: 0, while it exceeds it. */
  readonly addressBan?: Duration;
  /** The PROXY protocol, and from which networks it is trusted. Default: none. */
  readonly proxy?: ProxyConfig;
  /** Options of its protocols, which check them; they override those for all listeners. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Exactly one address. */
type AddressSettings =
  | {
      /** TCP port; 0: any free one. */
      readonly port: number;
      /** IP address or host name. Default: `::`, every address, IPv4 and IPv6. */
      readonly host?: string;
    }
  | {
      /** Path of a UNIX socket, at most 107 bytes; on Linux `@name` for an abstract name. */
      readonly path: string;
      /** Octal digits such as `"0660"`. Default: `"0600"`. */
      readonly mode?: string;
      /** User that owns the socket, by name or number. Default: the server's. */
      readonly owner?: string;
      /** Group of the socket, by name or number. Default: the server's. */
      readonly group?: string;
    }
  | {
      /** Name of an inherited socket in `LISTEN_FDNAMES`: `FileDescriptorName=` of a systemd socket unit. */
      readonly systemd: string;
    };

/** What it serves. */
type ProtocolSettings =
  | {
      /** A built-in protocol such as `echo`, or a file such as `./my-protocol.ts`. */
      readonly protocol: string;
      readonly tls?: TlsConfig;
    }
  | {
      /** For clients that agree on none of `alpn`. Default: they are refused. */
      readonly protocol?: string;
      readonly tls: TlsConfig;
      /** Protocol by the name that is agreed on in the TLS handshake (ALPN). */
      readonly alpn: Readonly<Record<string, string>>;
    };

/** One listener in a configuration file. */
export type ListenerSettings = CommonSettings & AddressSettings & ProtocolSettings;

/**
 * Gives a configuration file its type: `export default defineConfig({ port: 2222 })`. What the types leave open is
 * checked when the file is read.
 * @returns the argument
 */
export function defineConfig(config: ConfigFileSettings): ConfigFileSettings {
  return config;
}
