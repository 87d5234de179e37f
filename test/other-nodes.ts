/**
 * What other Node majors and the portable transport matter to, once more for each of them: vitest projects that
 * `.ci/run` adds. The other tests are about commands and answers, and have run before on this Node; in these files they
 * are those of `testOnce`.
 */
import { join } from "node:path";

const MAJORS = [22, 24, 26];
const NEWEST = 26;

/** Files of which some run beside others; those that measure time run alone. */
interface Files {
  readonly parallel: readonly string[];
  readonly serial: readonly string[];
}

/** Raw handles are node's internals, which any major may change: sockets, TLS, UNIX sockets, inherited ones, cluster. */
const handles: Files = {
  parallel: [
    "limits/flow-control",
    "network/{listeners,outgoing,tls}",
    "start/activation",
    "workers/workers",
  ],
  serial: [],
};
/** What else depends on the transport. */
const transport: Files = {
  parallel: [
    ...[...handles.parallel, "groups/messages", "limits/max-connections"],
    ...["workers/signals", "workers/worker-killed"],
  ],
  serial: ["limits/balance"],
};
/**
 * On the newest major, where it differs first, so that it and this Node stand for those between: errors of node's that
 * are told in our words, its numbers, signals while it starts, traces of its errors.
 */
const newest: Files = {
  parallel: [...transport.parallel, ...["develop/tutorial", "operate/scrape", "start/{refusals,signals}"]],
  serial: transport.serial,
};
/** What the portable transport could do otherwise on another major. It is made of node's public API. */
const portable: Files = {
  parallel: ["limits/{flow-control,max-connections}", "network/tls"],
  serial: [],
};

/** Files of a project, and the variables that its tests find. */
export interface OtherProject {
  readonly name: string;
  readonly include: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Projects of the folder with the binaries of other majors: those whose files run beside others, and those alone. */
export function otherNodes(folder: string): { parallel: OtherProject[]; serial: OtherProject[] } {
  const again = { RUNS_AGAIN: "1" };
  const stream = { ...again, TRANSPORT: "stream" };
  const runs = [
    { name: "stream", files: transport, unit: ["test/tcp/**/*.test.ts"], env: stream },
    ...MAJORS.flatMap((major) => {
      const NODE = join(folder, "node_modules", `node${major}`, "bin", "node");
      const env = { ...again, NODE };
      if (major !== NEWEST) return [{ name: `node${major}`, files: handles, unit: [], env }];
      return [
        { name: `node${major}`, files: newest, unit: [], env },
        { name: `node${major}-stream`, files: portable, unit: [], env: { NODE, ...stream } },
      ];
    }),
  ];
  const paths = (names: readonly string[]) => names.map((name) => `test/system/${name}.test.ts`);
  return {
    parallel: runs.map(({ name, files, unit, env }) => ({
      ...{ name, env },
      include: [...unit, ...paths(files.parallel)],
    })),
    serial: runs
      .filter(({ files }) => files.serial.length > 0)
      .map(({ name, files, env }) => ({
        ...{ name: `${name}-serial`, env },
        include: paths(files.serial),
      })),
  };
}
