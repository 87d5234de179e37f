/** Hands a request to the process of this OS process that holds the name. */
import type { Process } from "../../otp/process/process.js";
import { clock } from "../../otp/time/clock.js";
import { GroupMember, MAX_GROUP_MESSAGES } from "../../tcp/connection/group-member.js";
import type { HubRequest } from "../hub/name-hub.js";
import type { Message } from "../message.js";
import { type Answering, ReceivedRequest } from "../request.js";
import type { LocalNames } from "./local-names.js";

/** @param answer takes the answer; called at once where the request cannot be handled */
export function takeRequest(
  names: LocalNames,
  name: string,
  { body, from, serial, within, id }: HubRequest<Message>,
  answer: Answering,
): void {
  const process = names.holder(name);
  if (process?.pid.serial !== serial) return answer("nobody", `no process holds the name ${name}`);
  if (!body.readable) return answer("refused", "the request cannot be read");
  let forget = (): void => {};
  const request = new ReceivedRequest(body.value, from, id !== 0, (code, reply) => {
    forget();
    answer(code, reply);
  });
  if (!accepts(process, request)) return request.end("busy", `${name} has too many messages in its mailbox`);
  if (id === 0) return;
  const forgetProcess = names.asked(process, request);
  // Nobody waits for it any more: it is not kept longer.
  const timer = clock.setTimeout(() => request.giveUp("timeout", "not answered in time"), within, true);
  forget = () => {
    clock.clearTimeout(timer);
    forgetProcess();
  };
}

function accepts(process: Process, request: ReceivedRequest): boolean {
  if (process instanceof GroupMember) return process.takeRequest(request);
  if (process.messageQueueLength >= Math.min(MAX_GROUP_MESSAGES, process.maxMessages)) return false;
  process.deliver(request);
  return true;
}
