/** What a JSON line carries: reports with the fields of the real ones, and the fields of everybody else made safe. */
import type { ChildReport, CrashReport, Mfa, ProgressReport, SupervisorReport } from "../../otp/events.js";
import { ProcessExit } from "../../otp/process/exit-reason.js";
import { clip, LONGEST_TERM, reasonText, termText } from "./safe-text.js";

export type Fields = Readonly<Record<string, unknown>>;

/** Links and ancestors named in one report at most: a supervisor may have ten thousand. */
const PIDS_SHOWN = 20;
const LONGEST_STACK = 1800;
/** What the line itself says: a field with such a name would be a second one. */
const TAKEN: readonly string[] = ["time", "level", "worker", "osPid", "name", "msg"];

/** The fields that somebody gave with a line. */
export function plainFields(fields: Fields): Fields {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    // Names are not escaped by the encoder.
    const name = key.replace(/[^\w.-]/g, "_");
    plain[TAKEN.includes(name) ? `${name}_` : name] = plainValue(value);
  }
  return plain;
}

function plainValue(value: unknown): unknown {
  if (value instanceof Error) return errorFields(value);
  return typeof value === "string" ? clip(value) : value;
}

/** An `Error` as pino writes one. */
export function errorFields(error: Error): {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
} {
  const { name, message, stack } = error;
  return {
    type: String(name),
    message: clip(String(message), LONGEST_TERM),
    stack: clip(String(stack), LONGEST_STACK),
  };
}

/** The error behind a reason: one that only carries another reason is none. */
export function errorOf(reason: unknown): Error | undefined {
  return reason instanceof Error && !(reason instanceof ProcessExit) ? reason : undefined;
}

function reasonFields(reason: unknown): Fields {
  const error = errorOf(reason);
  return { reason: reasonText(reason), ...(error && { err: errorFields(error) }) };
}

/** `{echo,start_link,[]}`. */
export function mfaText([module, fn, args]: Mfa): string {
  return clip(`{${termText(module)},${termText(fn)},[${args.map(termText).join(",")}]}`, LONGEST_TERM);
}

/** The child of a report, in the order and the words of OTP: `nb_children` takes the place of the pid. */
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
    ...reasonFields(reason),
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
    label: clip(label),
    ...reasonFields(reason),
    ancestors: pidList(ancestors),
    messageQueueLength,
    links: pidList(links),
    trapExit,
  };
}

/** The first of them, and how many more there are. */
export function pidList(pids: readonly unknown[]): string[] {
  const shown = pids.slice(0, PIDS_SHOWN).map(String);
  return pids.length > PIDS_SHOWN ? [...shown, `… (+${pids.length - PIDS_SHOWN})`] : shown;
}
