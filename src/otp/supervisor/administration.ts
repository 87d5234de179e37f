/**
 * Administration calls of a static supervisor (`start_child`, `terminate_child`, …). Callers use the functions of
 * `requests.ts`.
 */
import type { CallMessage } from "../gen-server/call-message.js";
import { type ChildSpec, checkSignificant, checkSpec } from "./child-spec.js";
import type { Child, Children } from "./children.js";
import type { StartResult } from "./requests.js";
import type { AutoShutdown } from "./supervisor-flags.js";

/**
 * Handles one call; the supervisor handles no other message until the returned promise has settled.
 * @param startEnded called when the start of a concurrent child has ended
 */
export function handleAdminCall(
  children: Children,
  autoShutdown: AutoShutdown,
  message: CallMessage,
  startEnded: () => void,
): void | Promise<void> {
  const [argument] = message.args;
  const id = argument as string;
  switch (message.name) {
    case "whichChildren":
      return message.reply(children.infos());
    case "countChildren":
      return message.reply(children.count());
    case "startChild":
      return replied(
        message,
        startChild(children, autoShutdown, argument as ChildSpec),
        (argument as ChildSpec | null)?.concurrent ? startEnded : undefined,
      );
    case "terminateChild":
      return terminateChild(children, id).then((result) => message.reply(result));
    case "restartChild":
      return replied(
        message,
        restartChild(children, id),
        children.find(id)?.spec.concurrent ? startEnded : undefined,
      );
    case "deleteChild":
      return message.reply(deleteChild(children, id));
    case "getChildspec":
      return message.reply(children.find(id)?.spec ?? "not_found");
    default:
      return message.fail(new Error(`a supervisor has no call "${message.name}"`));
  }
}

/** Of a concurrent child the reply comes later, and the supervisor goes on. */
function replied(
  message: CallMessage,
  result: Promise<StartResult>,
  startEnded: (() => void) | undefined,
): Promise<void> | void {
  const done = result.then(
    (value) => message.reply(value),
    (error) => message.fail(error),
  );
  if (startEnded === undefined) return done;
  void done.then(startEnded);
}

async function startChild(
  children: Children,
  autoShutdown: AutoShutdown,
  spec: ChildSpec,
): Promise<StartResult> {
  const checked = checkSpec(spec);
  checkSignificant(children.supervisorLabel, autoShutdown, checked);
  const present = children.find(checked.id);
  if (present) return { error: present.pid ? { already_started: present.pid } : "already_present" };
  const child = children.add(checked);
  const reason = await children.start(child);
  if (reason === undefined) return child.pid;
  children.remove(child);
  return { error: reason };
}

async function terminateChild(children: Children, id: string): Promise<"ok" | "not_found"> {
  const child = children.find(id);
  if (!child) return "not_found";
  await children.stop(child);
  return "ok";
}

async function restartChild(children: Children, id: string): Promise<StartResult> {
  const child = children.find(id);
  if (!child || child.restarting || child.starting || child.pid) return { error: childState(child) };
  const reason = await children.start(child);
  return reason === undefined ? child.pid : { error: reason };
}

function deleteChild(children: Children, id: string): "ok" | "running" | "restarting" | "not_found" {
  const child = children.find(id);
  if (!child || child.restarting || child.starting || child.pid) return childState(child);
  children.remove(child);
  return "ok";
}

function childState(child: Child | undefined): "running" | "restarting" | "not_found" {
  if (!child) return "not_found";
  return child.restarting || child.starting ? "restarting" : "running";
}
