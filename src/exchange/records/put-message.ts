/** Puts a message into a record: its value in a worker, its bytes in the exchange. */
import { Message } from "../../groups/message.js";

export function putMessage(buffer: Buffer, at: number, message: Message | Buffer): void {
  if (message instanceof Message) message.write(buffer, at);
  else buffer.set(message, at);
}
