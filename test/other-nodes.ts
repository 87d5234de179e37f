/**
 * What other Node majors and the portable transport matter to, once more for each of them: vitest projects that
 * `.ci/run` adds. The other tests are about commands and answers, and have run before on this Node.
 */
import { join } from "node:path";

const MAJORS = [22, 24, 26];
const NEWEST = 26;

/** Files that depend on the transport or the Node; those that measure time run alone. */
const depends = {
  parallel: [
    ...["develop/tutorial", "groups/messages", "limits/{flow-control,max-connections}"],
    ...["network/{listeners,outgoing,tls}", "start/activation", "workers/{signals,workers}"],
  ],
  serial: ["limits/balance", "workers/worker-killed"],
};
/** Errors of node's that are told in our words, and numbers of node's: on the newest major, where they differ first. */
const answers = {
  parallel: [...depends.parallel, "start/refusals", "operate/scrape"],
  serial: depends.serial,
};
/**
 * Of these, what the portable transport could do otherwise on another major. It is made of node's public API, so the
 * newest major stands for those between it and this Node.
 */
const portable = {
  parallel: [
    ...["groups/messages", "limits/{flow-control,max-connections}", "network/tls", "start/activation"],
    "workers/{signals,workers}",
  ],
  serial: ["workers/worker-killed"],
};

/** Files of a project, and the variables that its tests find. */
export interface OtherProject {
  readonly name: string;
  readonly include: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Projects of the folder with the binaries of other majors: those whose files run beside others, and those alone. */
export function otherNodes(folder: string): { parallel: OtherProject[]; serial: OtherProject[] } {
  const stream = { TRANSPORT: "stream" };
  const runs = [
    { name: "stream", files: depends, unit: ["test/tcp/**/*.test.ts"], env: stream },
    ...MAJORS.flatMap((major) => {
      const NODE = join(folder, "node_modules", `node${major}`, "bin", "node");
      if (major !== NEWEST) return [{ name: `node${major}`, files: depends, unit: [], env: { NODE } }];
      return [
        { name: `node${major}`, files: answers, unit: [], env: { NODE } },
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
    serial: runs.map(({ name, files, env }) => ({
      ...{ name: `${name}-serial`, env },
      include: paths(files.serial),
    })),
  };
}
