/** Groups and names from outside: every request goes to one worker, which has the way to the hub. */
import { AskFailed, Refusal } from "../../../control/errors.js";
import type { GroupList, GroupView, NameList } from "../../../control/groups.js";
import type { HubAnswers, HubQuery } from "../../../groups/hub/hub-queries.js";
import { pidFrom } from "../../../otp/process/pid.js";
import type { Portable } from "../../../tcp/protocol/sources.js";
import type { HubReply, HubRequest } from "../../channel/requests.js";
import type { PrimaryOptions } from "../options.js";
import type { Primary } from "../primary.js";

/** Added to the time of an ask: the worker itself says that it is over. */
const GRACE = 500;
/** Milliseconds in which the hub answers a question. */
const QUERY_TIMEOUT = 5_500;

/** Info of a member; another server may have sent what is none. */
function infoOf(info: string): unknown {
  try {
    return JSON.parse(info);
  } catch {
    return null;
  }
}

export class HubOperations {
  readonly #primary: Primary;
  readonly #options: PrimaryOptions;
  /** The worker that is asked next. */
  #next = 0;

  constructor(primary: Primary, options: PrimaryOptions) {
    this.#primary = primary;
    this.#options = options;
  }

  ask(to: string, body: unknown, within: number): Promise<unknown> {
    return this.#request({ name: "ask", to, body: body as Portable, within }, within + GRACE);
  }

  async publish(group: string, body: unknown): Promise<number | undefined> {
    const members = await this.#request({ name: "publish", group, body: body as Portable }, QUERY_TIMEOUT);
    return typeof members === "number" ? members : undefined;
  }

  groups(limit: number): Promise<GroupList> {
    return this.#query({ ask: "groups", limit });
  }

  async group(name: string): Promise<GroupView> {
    const [members, rows] = await Promise.all([
      this.#query({ ask: "members", group: name }),
      this.#query({ ask: "presence", group: name }),
    ]);
    const present = (rows ?? []).map(({ worker, serial, node, key, info }) => {
      const pid = String(pidFrom(node === "" ? [worker, serial] : [worker, serial, node]));
      return { pid, key, info: infoOf(info) };
    });
    return { name, members: members.map((pair) => String(pidFrom(pair))), present };
  }

  async names(prefix: string, limit: number): Promise<NameList> {
    const { names, total } = await this.#query({ ask: "names", prefix, limit });
    return { total, names: names.map((row) => ({ ...row, pid: String(pidFrom(row.pid)) })) };
  }

  #query<Q extends HubQuery>(query: Q): Promise<HubAnswers[Q["ask"]]> {
    return this.#request({ name: "hub", query }, QUERY_TIMEOUT) as Promise<HubAnswers[Q["ask"]]>;
  }

  async #request(request: HubRequest, timeout: number): Promise<unknown> {
    if (!this.#options.releases.all.some(({ groups }) => groups))
      throw new Refusal(
        "conflict",
        "no protocol of this server takes messages of groups or answers to names",
      );
    const running = this.#primary.pool.slots.flatMap(({ process }) =>
      process?.condition === "running" ? process : [],
    );
    const worker = running[this.#next++ % Math.max(1, running.length)];
    if (!worker) throw new AskFailed("unreachable", "no worker is running");
    const reply = (await worker.request(request, timeout)) as HubReply | undefined;
    if (reply === undefined) throw new AskFailed("unreachable", `worker ${worker.slot} does not answer`);
    if ("answer" in reply) return reply.answer;
    if (reply.failed === "invalid" || reply.failed === "too_large")
      throw new Refusal(reply.failed, reply.message);
    throw new AskFailed(reply.failed, reply.message);
  }
}
