/**
 * Vitest sequencer: the longest files of a project first, and the project of the longest one, so that no core waits at the
 * end for one of them. Without a cache of results, as in CI, vitest knows only their sizes.
 */
import { existsSync } from "node:fs";
import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";

/** Files of 25 s and more, longest first, from the summary of `.ci/run`. */
const LONGEST = [
  ...["peers/deploy/package", "peers/nats/nats", "system/start/worker-start", "system/faults/orphans"],
  ...["peers/page/page", "system/operate/steering", "peers/faults/kernel", "peers/deploy/clone"],
  ...["peers/differential/otp", "peers/deploy/docker", "system/workers/supervision", "system/start/refusals"],
  ...["peers/page/accessibility", "peers/nats/machines", "peers/page/groups", "system/limits/limit-command"],
].map((name) => `test/${name}.test.ts`);

/** Its place among the longest; the others come after them, in vitest's order. */
function place({ moduleId }: TestSpecification): number {
  const at = LONGEST.findIndex((name) => moduleId.endsWith(`/${name}`));
  return at === -1 ? LONGEST.length : at;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const missing = LONGEST.filter((name) => !existsSync(name));
    if (missing.length > 0) throw new Error(`test/longest-first.ts names what is not there: ${missing}`);
    const sorted = await super.sort(files);
    const projects = new Map<string, TestSpecification[]>();
    for (const file of sorted) {
      const { name } = file.project;
      projects.set(name, [...(projects.get(name) ?? []), file]);
    }
    // Files of a project stay together: each project has OS processes of its own. That of the longest file comes first.
    const before = (a: TestSpecification, b: TestSpecification) => place(a) - place(b);
    const groups = [...projects.values()].map((of) => of.sort(before));
    return groups.sort(([a], [b]) => before(a as TestSpecification, b as TestSpecification)).flat();
  }
}
