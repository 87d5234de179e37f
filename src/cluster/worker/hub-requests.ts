/** Asks, messages to groups and questions to the hub from outside: the primary passes them to one worker. */
import { AskError } from "../../groups/ask-error.js";
import { uplink } from "../../groups/local/present.js";
import { Message, MessageTooLarge } from "../../groups/message.js";
import { askName } from "../../groups/names.js";
import { groupCounters } from "../../tcp/observe/group-counters.js";
import type { HubReply, HubRequest } from "../channel/requests.js";

export async function answerHubRequest(request: HubRequest): Promise<HubReply> {
  try {
    return { answer: await answer(request) };
  } catch (error) {
    if (error instanceof AskError) return { failed: error.code, message: error.message };
    if (error instanceof MessageTooLarge) return { failed: "too_large", message: error.message };
    if (error instanceof RangeError || error instanceof TypeError)
      return { failed: "invalid", message: error.message };
    return { failed: "unreachable", message: (error as Error).message };
  }
}

async function answer(request: HubRequest): Promise<unknown> {
  if (request.name === "hub") return uplink.query(request.query);
  if (request.name === "ask") return askName(request.to, request.body, request.within);
  const message = Message.of(request.body);
  groupCounters.published++;
  uplink.publish(request.group, message, undefined);
  // Without an answer the message waits for the exchange all the same.
  return uplink.query({ ask: "count", group: request.group }).catch(() => null);
}
