// Vitest reporter that adds a line of JSON for each test file to the file named in TEST_SUMMARY: how long it took, and
// which of its tests failed.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";

/** The first line of an error. */
const text = ([error]) => String(error?.message ?? "").split("\n")[0];

export default class SummaryReporter {
  onTestModuleEnd(module) {
    const { duration, collectDuration } = module.diagnostic();
    const tests = [...module.children.allTests("failed")];
    // Their hooks failed, so that their tests were skipped.
    const suites = [...module.children.allSuites()].filter((suite) => suite.errors().length > 0);
    const line = {
      project: module.project.name,
      file: relative("", module.moduleId),
      seconds: (duration + collectDuration) / 1_000,
      failed: [
        ...module.errors().map((error) => ({ title: "the file itself", error: text([error]) })),
        ...suites.map((suite) => ({ title: suite.fullName, error: text(suite.errors()) })),
        ...tests.map((test) => ({ title: test.fullName, error: text(test.result().errors) })),
      ],
    };
    add(line);
  }

  /** Vitest fails also when every test has passed and a promise was rejected that no test waits for. */
  onTestRunEnd(_modules, errors) {
    for (const error of errors) {
      const failed = [{ title: "a promise that no test waits for", error: text([error]) }];
      add({ project: "unhandled", file: relative("", error.VITEST_TEST_PATH ?? ""), seconds: 0, failed });
    }
  }
}

function add(line) {
  appendFileSync(process.env.TEST_SUMMARY, `${JSON.stringify(line)}\n`);
}
