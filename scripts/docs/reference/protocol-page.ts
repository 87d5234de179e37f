/** Page of the reference: what a protocol is made of, `conn`, limits, serve and connect. */
import { memberList } from "./markdown.js";
import { Source } from "./source.js";

export function protocolPage(root: string): string {
  const source = (path: string) => new Source(root, path);
  const protocol = source("src/tcp/protocol/protocol.ts");
  const sections: readonly (readonly [title: string, text: string, members: string])[] = [
    [
      "Protocol",
      "What `defineProtocol` takes. Types are inferred: nothing needs to be annotated.",
      memberList(protocol.members("Protocol")),
    ],
    [
      "State: its cells",
      'A cell is a handler, or a plain step such as `stop("idle")`. A handler returns nothing to stay, `next(state)`, `stop(reason)`, `postpone`, `repeat`, `become(protocol)`, or a promise of one of these.',
      memberList(protocol.members("State")),
    ],
    [
      "Conn",
      "What handlers get, as their first argument.",
      memberList([
        ...protocol.members("Conn"),
        ...source("src/tcp/protocol/parts.ts").members("OwnParts"),
        ...source("src/tcp/protocol/arrival.ts").members("Arrival"),
      ]),
    ],
    [
      "Limits",
      '`limits` of a protocol. A time is milliseconds, `"30s"`, or `Infinity`.',
      memberList(source("src/tcp/protocol/limits.ts").members("Limits")),
    ],
    [
      "Worker hooks",
      "`worker` of a protocol: [options and workers](options-and-workers.md).",
      memberList(source("src/tcp/protocol/parts.ts").members("WorkerHooks")),
    ],
    [
      "genServer",
      "A process of your own beside the connections: `genServer(spec)`, started by `child(server, args)` in `children`, or by `start(server, args)`. [An example](groups-and-names.md#a-process-of-your-own).",
      memberList(source("src/otp/gen-server/types.ts").members("GenServerSpec")),
    ],
    [
      "genServer: self",
      "The first argument of its handlers.",
      memberList(source("src/otp/gen-server/types.ts").members("Self")),
    ],
    [
      "serve",
      "Options of `serve(protocol, options)`; of `serve({ listeners })` each listener has them, with `name` and `protocol`.",
      memberList(source("src/tcp/serve-options.ts").members("ServeOptions")),
    ],
    [
      "TLS of a listener",
      "`tls` of `serve`, and of a listener in a file: [TLS](tls.md).",
      memberList([
        ...source("src/tls/options.ts").members("KeyPairOptions"),
        ...source("src/tls/options.ts").members("TlsOptions"),
      ]),
    ],
    [
      "connect",
      "Options of `connect(protocol, options)`: [connect out](connect-out.md).",
      memberList([
        ...source("src/tcp/outgoing/options.ts").members("ConnectOptions"),
        ...source("src/tcp/outgoing/options.ts").members("LinkedConnectOptions"),
      ]),
    ],
    [
      "Listener in a configuration file",
      "What each of `listeners` has beside its address, protocol and TLS: [several listeners](listeners.md).",
      memberList(source("src/config/define-config.ts").members("CommonSettings")),
    ],
  ];
  return sections.map(([title, text, members]) => `## ${title}\n\n${text}\n\n${members}`).join("\n");
}
