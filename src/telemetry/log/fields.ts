/** Fields of a JSON log line: OTP reports with the field names of OTP, and sanitised fields of all other lines. */
import type { ChildReport, CrashReport, Mfa, ProgressReport, SupervisorReport } from "../../otp/events.js";
import { errorPart, ProcessExit } from "../../otp/process/exit-reason.js";
import { addressText } from "../../text/address.js";
import { MAX_TERM, reasonText, termText, textOr, truncate } from "./safe-text.js";

export type Fields = Readonly<Record<string, unknown>>;

/** Maximum number of links or ancestors in one report: a supervisor may have ten thousand. */
const MAX_PIDS = 20;
const MAX_STACK = 1800;
const MAX_NAME = 100;
/** Names of the log's own fields. A caller's field of that name gets a trailing `_`, or the key would occur twice. */
const RESERVED: readonly string[] = ["time", "level", "worker", "osPid", "name", "msg"];

/** A caller's fields with safe names and truncated values. */
export function plainFields(fields: Fields): Fields {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    // pino does not escape field names.
    const name = key.replace(/[^\w.-]/g, "_");
    plain[RESERVED.includes(name) ? `${name}_` : name] = plainValue(value);
  }
  return plain;
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return errorFields(value);
  return typeof value === "string" ? truncate(value) : value;
}

/** The `err` field, in the form of pino's standard serializer. */
export function errorFields(error: Error): {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
} {
  const read = (key: "name" | "message" | "stack") => errorPart(error, key);
  const message = read("message");
  // The stack begins with the message: none of its frames would be left, and making it may take a second.
  const stack =
    message.length > MAX_STACK ? `${read("name")}: ${message.slice(0, MAX_STACK)}…` : read("stack");
  return {
    type: truncate(read("name"), MAX_NAME),
    message: truncate(message, MAX_TERM),
    stack: truncate(stack, MAX_STACK),
  };
}

/** The error of an exit reason. `ProcessExit` does not count: it only carries another reason. */
export function errorOf(reason: unknown): Error | undefined {
  return reason instanceof Error && !(reason instanceof ProcessExit) ? reason : undefined;
}

/** As `reasonFields`, without the stack: the crash report of the child, just before, has it. A failed start has none. */
function childReasonFields(reason: unknown, errorContext: SupervisorReport["errorContext"]): Fields {
  const fields = reasonFields(reason);
  if (fields.err === undefined || errorContext === "start_error") return fields;
  const { type, message } = fields.err as ReturnType<typeof errorFields>;
  return { ...fields, err: { type, message } };
}

function reasonFields(reason: unknown): Fields {
  const error = errorOf(reason);
  return { reason: reasonText(reason), ...(error && { err: errorFields(error) }) };
}

/** `{echo,start_link,[]}`. */
export function mfaText([module, fn, args]: Mfa): string {
  return truncate(`{${termText(module)},${termText(fn)},[${args.map(termText).join(",")}]}`, MAX_TERM);
}

/** The child of a report, with OTP's keys in OTP's order; a dynamic supervisor reports `nb_children` instead of `pid`. */
export function offenderFields(child: ChildReport): Fields {
  return {
    ...(child.nbChildren === undefined
      ? { pid: child.pid === undefined ? null : String(child.pid) }
      : { nb_children: child.nbChildren }),
    id: child.id ?? null,
    mfargs: mfaText(child.mfargs),
    restart_type: child.restartType,
    significant: child.significant,
    shutdown: child.shutdown === Infinity ? "infinity" : child.shutdown,
    child_type: child.childType,
  };
}

export function supervisorFields({ supervisor, errorContext, reason, offender }: SupervisorReport): Fields {
  return {
    report: "supervisor",
    supervisor,
    errorContext,
    ...childReasonFields(reason, errorContext),
    offender: offenderFields(offender),
  };
}

export function progressFields({ supervisor, started }: ProgressReport): Fields {
  return { report: "progress", supervisor, started: offenderFields(started) };
}

export function crashFields(report: CrashReport): Fields {
  const { initialCall, pid, registeredName, label, reason, ancestors, messageQueueLength, links, trapExit } =
    report;
  return {
    report: "crash",
    initialCall,
    pid: String(pid),
    registeredName: registeredName ?? null,
    label: truncate(label),
    ...reasonFields(reason),
    ancestors: pidList(ancestors),
    messageQueueLength,
    links: pidList(links),
    trapExit,
    ...detailFields(report),
  };
}

/** What the crashed process adds to its report; an address and port as `10.0.0.7:51234`. */
export function detailFields({ details }: CrashReport): Record<string, string> {
  return Object.fromEntries(Object.entries(details ?? {}).map(([name, value]) => [name, detailText(value)]));
}

function detailText(value: unknown): string {
  if (typeof value !== "object" || value === null)
    return truncate(
      textOr("unprintable", () => value),
      MAX_TERM,
    );
  const { address, port } = value as { address?: unknown; port?: unknown };
  return typeof address === "string" ? addressText(address, Number(port)) : termText(value);
}

/** The first 20 pids, then `… (+N)`. */
export function pidList(pids: readonly unknown[]): string[] {
  const shown = pids.slice(0, MAX_PIDS).map(String);
  return pids.length > MAX_PIDS ? [...shown, `… (+${pids.length - MAX_PIDS})`] : shown;
}
