/**
 * Mailbox overflow: what happens to a message that arrives at a full mailbox. A call is refused, so that its caller
 * knows at once (`mailbox_full`); a cast or a plain message has no caller to tell, so it is dropped, counted and
 * published. Older messages stay: dropping one of them would break the order that processes rely on.
 */

import { mailboxEvents } from "../events.js";
import { CallMessage } from "../gen-server/call-message.js";
import { ProcessExit } from "./exit-reason.js";
import type { Mailbox } from "./mailbox.js";
import type { LocalProcess } from "./pid.js";

export function refuseMessage(process: LocalProcess, mailbox: Mailbox, message: unknown): void {
  const refused = ++mailbox.refused;
  const { pid, label } = process;
  if (message instanceof CallMessage)
    message.fail(
      new ProcessExit("mailbox_full", `mailbox of ${label} ${pid} is full: ${mailbox.limit} messages wait`),
    );
  // At 1, 2, 4, 8, …: a flood of messages must not become a flood of events.
  if ((refused & (refused - 1)) !== 0 || !mailboxEvents.hasSubscribers) return;
  mailboxEvents.publish({ pid, label, maxMessages: mailbox.limit, refused });
}

/** @throws TypeError when `maxMessages` is not a valid bound */
export function checkMaxMessages(label: string, messages: number | undefined): void {
  if (messages === undefined || messages === Infinity || (Number.isInteger(messages) && messages > 0)) return;
  throw new TypeError(
    `${label}: maxMessages must be a whole number from 1 up, or Infinity, got ${JSON.stringify(messages)}`,
  );
}
