// Whether messages of a group reach its members, which are spread over the workers, through the exchange.
import { FrameSocket } from "./frame-socket.js";
import { ORDER, PUBLISHED } from "./protocol.js";
import type { Server } from "./server.js";

/** So many that all of them in one worker would be a coincidence. */
const MEMBERS = 10;
const WITHIN_MS = 1_000;

export async function groupDelivers(server: Server): Promise<boolean> {
  const within = server.patience(WITHIN_MS);
  const members = Array.from({ length: MEMBERS }, () => new FrameSocket(server.ports.main));
  try {
    await Promise.all(members.map((member) => expectReply(member, ORDER.join, ORDER.join, within)));
    const others = members.slice(1).map(async (member) => (await member.next(within)) === PUBLISHED);
    members[0]!.send(ORDER.publish);
    return (await Promise.all(others)).every(Boolean);
  } catch {
    return false;
  } finally {
    for (const member of members) member.destroy();
  }
}

async function expectReply(member: FrameSocket, text: string, reply: string, within: number) {
  member.send(text);
  const got = await member.next(within);
  if (got !== reply) throw new Error(`${got} instead of ${reply}`);
}
