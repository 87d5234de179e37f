/**
 * What a static supervisor does with its children because somebody asks for it, as opposed to what it does
 * because one of them ended. Questions and answers are those of `supervision.ts`.
 */
import type { CallMessage } from "../gen-server/call.js";
import { type ChildSpec, checkSignificant, checkSpec } from "./child-spec.js";
import type { Child, Children } from "./children.js";
import type { StartResult } from "./requests.js";
import type { AutoShutdown } from "./supervisor-flags.js";

/** Answers one call; until the returned promise settles the supervisor takes no other message. */
export function administer(
  children: Children,
  autoShutdown: AutoShutdown,
  message: CallMessage,
): void | Promise<void> {
  const [argument] = message.args;
  const id = argument as string;
  switch (message.name) {
    case "whichChildren":
      return message.reply(children.infos());
    case "countChildren":
      return message.reply(children.count());
    case "startChild":
      return startChild(children, autoShutdown, argument as ChildSpec).then(
        (result) => message.reply(result),
        (error) => message.fail(error),
      );
    case "terminateChild":
      return terminateChild(children, id).then((result) => message.reply(result));
    case "restartChild":
      return restartChild(children, id).then((result) => message.reply(result));
    case "deleteChild":
      return message.reply(deleteChild(children, id));
    case "getChildspec":
      return message.reply(children.find(id)?.spec ?? "not_found");
    default:
      return message.fail(new Error(`a supervisor has no call "${message.name}"`));
  }
}

async function startChild(
  children: Children,
  autoShutdown: AutoShutdown,
  spec: ChildSpec,
): Promise<StartResult> {
  const checked = checkSpec(spec);
  checkSignificant(children.owner, autoShutdown, checked);
  const present = children.find(checked.id);
  if (present) return { error: present.pid ? { already_started: present.pid } : "already_present" };
  const child = children.add(checked);
  const reason = await children.start(child);
  if (reason === undefined) return child.pid;
  children.forget(child);
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
  if (!child || child.restarting || child.pid) return { error: whyNot(child) };
  const reason = await children.start(child);
  return reason === undefined ? child.pid : { error: reason };
}

function deleteChild(children: Children, id: string): "ok" | "running" | "restarting" | "not_found" {
  const child = children.find(id);
  if (!child || child.restarting || child.pid) return whyNot(child);
  children.forget(child);
  return "ok";
}

function whyNot(child: Child | undefined): "running" | "restarting" | "not_found" {
  if (!child) return "not_found";
  return child.restarting ? "restarting" : "running";
}
