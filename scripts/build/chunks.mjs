// Fewer files in dist/. esbuild makes one chunk of the modules that the same entries reach, and each `import()` is an
// entry: of a hundred chunks most were a few lines, and each costs a start half a millisecond. An entry that reaches
// what is loaded before it or with it anyway splits nothing.
import { dirname, join } from "node:path";

/** Small modules that most entries reach. */
const SHARED = [
  ...["cluster/os-process-info", "cluster/release/protocol-module", "cluster/release/source-maps"],
  ...["control/connections", "telemetry/log/log-file", "telemetry/metrics/os-process"],
  ...["admin/events", "config/exit-codes", "config/modules/load", "config/modules/positions"],
  ...["otp/events", "otp/process/exit-reason", "otp/time/duration", "proxy/trusted-networks"],
  ...["tcp/admission/full-policy", "tcp/admission/rate", "tcp/admission/terms"],
  ...[
    "tcp/observe/events",
    "tcp/observe/protocol-log",
    "transport/resolve-host",
    "transport/unix/socket-path",
  ],
  ...["address", "address-group", "clock-time", "duration", "escape", "nats-url", "plural"].map(
    (name) => `text/${name}`,
  ),
];

/** By entry, without extension: what is loaded already when it is imported, or with it. */
const LOADED = {
  index: undefined,
  testing: "index",
  "program/program": undefined,
  "program/start": "program/program",
  "program/check/check": "program/program",
  "admin/http/open-apps": "program/start",
  "program/dev/dev-reload": "program/start",
  "cluster/primary/inspector/inspectors": "program/start",
  // They load the user's protocol, which imports "drover".
  "cluster/release/trial-thread": "index",
  "cluster/worker/entry": "index",
  "cluster/worker/worker-exchange": "cluster/worker/entry",
  "cluster/worker/hub-requests": "cluster/worker/entry",
  "cluster/inspect/address-list": "cluster/worker/entry",
  "exchange/entry": undefined,
  "exchange/nats/nats-carrier": "exchange/entry",
  "exchange/nats/outside": "exchange/entry",
  "exchange/nodes/nodes": "exchange/entry",
  "exchange/nodes/rows/row-table": "exchange/entry",
  "exchange/nodes/rows/presence-rows": "exchange/entry",
  "config/modules/module-thread": undefined,
  "telemetry/log/log": undefined,
  "cluster/worker/watch/blocked-stack": "telemetry/log/log",
  "transport/handle/handle": "transport/choose-transport",
  "transport/handle/handle-probe": "transport/choose-transport",
  "transport/secure/secure-probe": "transport/choose-transport",
};

/** @param src the folder of the sources */
export function entriesWithBase(src) {
  const path = (name) => join(src, `${name}.ts`);
  const bases = new Map(
    Object.entries(LOADED).map(([entry, base = []]) => [path(entry), [...SHARED, base].flat().map(path)]),
  );
  return {
    name: "entries-with-base",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.{1,2}\/|^src\// }, ({ kind, path, resolveDir }) => {
        if (kind !== "dynamic-import" && kind !== "entry-point") return undefined;
        const target = join(resolveDir, path).replace(/\.js$/, ".ts");
        return bases.has(target) ? { path: target, namespace: "with-base" } : undefined;
      });
      onLoad({ filter: /./, namespace: "with-base" }, ({ path }) => ({
        contents: [
          ...bases.get(path).map((base) => `import ${JSON.stringify(base)};`),
          `export * from ${JSON.stringify(path)};`,
        ].join("\n"),
        resolveDir: dirname(path),
      }));
    },
  };
}
