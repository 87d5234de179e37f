/**
 * A message that comes to a full mailbox. A call is refused, so that its caller knows at once (`mailbox_full`);
 * a cast or a plain message is dropped, because there is nobody to tell: that is counted, and published. What
 * has waited longer stays: to make room would be to break the order that every process counts on.
 */

import { mailboxEvents } from "../events.js";
import { CallMessage } from "../gen-server/call.js";
import { ProcessExit } from "./exit-reason.js";
import type { Mailbox } from "./mailbox.js";
import type { Process } from "./process.js";

export function refuse(process: Process, mailbox: Mailbox, message: unknown): void {
  const refused = ++mailbox.refused;
  const { pid, label } = process;
  if (message instanceof CallMessage)
    message.fail(new ProcessExit("mailbox_full", `${mailbox.limit} messages wait for ${label} ${pid}`));
  // The first, the second, the fourth: a flood must not become a flood of events.
  if ((refused & (refused - 1)) !== 0 || !mailboxEvents.hasSubscribers) return;
  mailboxEvents.publish({ pid, label, maxMessages: mailbox.limit, refused });
}

/** @throws TypeError for a bound that is none */
export function checkMaxMessages(label: string, messages: number | undefined): void {
  if (messages === undefined || messages === Infinity || (Number.isInteger(messages) && messages > 0)) return;
  throw new TypeError(
    `${label}: maxMessages must be a whole number from 1 up, or Infinity, got ${JSON.stringify(messages)}`,
  );
}
