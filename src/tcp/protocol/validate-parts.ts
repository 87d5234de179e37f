/** Validates what a protocol has beside its states: options, hooks of the worker, children. */
import type { AnyProtocol } from "./protocol.js";

type Wrong = (what: string) => never;

export function checkParts({ options, worker, children }: AnyProtocol, wrong: Wrong): void {
  checkOptions(options, wrong);
  checkWorker(worker, wrong);
  if (children !== undefined && typeof children !== "function" && !Array.isArray(children))
    wrong(`"children" must be a list of child specs, or a function that returns one: [child(server)]`);
}

function checkOptions(options: unknown, wrong: Wrong): void {
  if (options === undefined) return;
  const standard = (options as { readonly "~standard"?: { readonly validate?: unknown } } | null)?.[
    "~standard"
  ];
  if (typeof standard?.validate === "function") return;
  wrong(`"options" must be a schema, such as v.object({ database: v.string() }) of valibot`);
}

const HOOKS = ["start", "stop"];

function checkWorker(worker: unknown, wrong: Wrong): void {
  if (worker === undefined) return;
  if (typeof worker !== "object" || worker === null)
    wrong(`"worker" must be an object such as { start: ({ options }) => …, stop: (pool) => … }`);
  const hooks = worker as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(hooks).find((key) => !HOOKS.includes(key));
  if (unknown !== undefined) wrong(`unknown key worker.${unknown}; a worker has ${HOOKS.join(" and ")}`);
  if (typeof hooks.start !== "function")
    wrong(`worker.start must be a function that returns what the connections of a worker share`);
  if (hooks.stop !== undefined && typeof hooks.stop !== "function")
    wrong(`worker.stop must be a function, got ${typeof hooks.stop}`);
}
