/** Validates what a protocol has beside its states: options, hooks of the worker, children. */
import { isMetric } from "../../metrics/instruments.js";
import { CLOSE_REASONS } from "../../observe/events.js";
import type { AnyProtocol } from "../protocol.js";

type Wrong = (what: string) => never;

export function checkParts(protocol: AnyProtocol, wrong: Wrong): void {
  const { options, worker, children } = protocol;
  checkOptions(options, wrong);
  checkWorker(worker, wrong);
  if (children !== undefined && typeof children !== "function" && !Array.isArray(children))
    wrong(`"children" must be a list of child specs, or a function that returns one: [child(server)]`);
  checkMetrics(protocol, wrong);
  checkReasons(protocol.reasons, wrong);
}

const METRIC_NAME = /^[a-z][A-Za-z0-9_]{0,63}$/;
/** Names of the program itself begin so. */
const TAKEN = /^(drover|process|nodejs)(_|$)/;

function checkMetrics({ name, metrics }: AnyProtocol, wrong: Wrong): void {
  if (metrics === undefined) return;
  const example = `metrics: { logins: counter("Logins by result", { result: ["ok", "bad"] }) }`;
  if (typeof metrics !== "object" || metrics === null || Array.isArray(metrics))
    wrong(`"metrics" must be an object of metrics by name, such as ${example}`);
  if (TAKEN.test(name.replaceAll("-", "_")))
    wrong(`the metrics of a protocol with this name would begin as those of the program: rename it`);
  for (const [key, metric] of Object.entries(metrics)) {
    if (!METRIC_NAME.test(key))
      wrong(`metrics: the name of a metric must be a word such as "logins", got "${key}"`);
    if (!isMetric(metric))
      wrong(`metrics.${key} must be made by counter, gauge or histogram, such as ${example}`);
  }
}

const REASON = /^[a-z][a-z0-9_]{0,63}$/;
const MAX_REASONS = 32;

function checkReasons(reasons: unknown, wrong: Wrong): void {
  if (reasons === undefined) return;
  if (!Array.isArray(reasons) || reasons.length > MAX_REASONS)
    wrong(
      `"reasons" must be a list of at most ${MAX_REASONS} words, such as reasons: ["no_login", "bad_crc"]`,
    );
  for (const reason of reasons as readonly unknown[]) {
    if (typeof reason !== "string" || !REASON.test(reason))
      wrong(`a reason must be a word such as "no_login" (a to z, 0 to 9, _), got ${JSON.stringify(reason)}`);
    if ((CLOSE_REASONS as readonly unknown[]).includes(reason))
      wrong(`"${reason}" is a reason of drover, which is counted anyway: remove it from "reasons"`);
  }
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
