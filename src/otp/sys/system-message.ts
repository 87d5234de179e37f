/** System messages: requests of `sys.ts`, handled by the `SystemMessageHandler` instead of the process. */
import { CallMessage } from "../gen-server/call-message.js";

export class SystemMessage extends CallMessage {}

/** Stops the process. The caller waits for the exit, not for a reply. */
export class TerminateMessage extends SystemMessage {
  override reply(): void {}
}
