// Vitest reporter that adds a line of JSON for each test file, how long it took, to the file named in SLOWEST.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";

export default class SlowestReporter {
  onTestModuleEnd(module) {
    const { duration, collectDuration } = module.diagnostic();
    const line = {
      project: module.project.name,
      file: relative("", module.moduleId),
      seconds: (duration + collectDuration) / 1_000,
    };
    appendFileSync(process.env.SLOWEST, `${JSON.stringify(line)}\n`);
  }
}
