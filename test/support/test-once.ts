/** Of a file that runs on other Node majors or transports as well: tests that neither matters to, of commands and answers. */
import { test } from "vitest";

/** `test`, but not where `.ci/run` runs the file again (`test/other-nodes.ts`). */
export const testOnce = test.runIf(process.env.RUNS_AGAIN === undefined);
