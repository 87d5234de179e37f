/** Questions of a worker to the tables of the exchange, and the answers: an id, and JSON. */
import type { HubQuery } from "../../groups/hub/hub-queries.js";
import { idOf, jsonAt, MalformedRecord, objectAt } from "./malformed-record.js";

/** What a question has beside `ask`, by its type. One that is not listed is of another version. */
const FIELDS: { readonly [A in HubQuery["ask"]]: Readonly<Record<string, "string" | "number">> } = {
  ready: {},
  count: { group: "string" },
  members: { group: "string" },
  presence: { group: "string" },
  groups: { limit: "number" },
  whereis: { name: "string" },
  names: { prefix: "string", limit: "number" },
};

/** @throws MalformedRecord when it is not a question. One of another version may be asked all the same */
export function readQuery(body: Buffer): { readonly id: number; readonly query: HubQuery } {
  const id = idOf(body);
  const query = objectAt<Record<string, unknown>>(body, 4);
  const { ask } = query;
  if (typeof ask !== "string") throw new MalformedRecord("a question without a kind");
  const fields = Object.hasOwn(FIELDS, ask) ? FIELDS[ask as HubQuery["ask"]] : {};
  for (const [field, type] of Object.entries(fields))
    if (typeof query[field] !== type) throw new MalformedRecord(`a question whose ${field} is not a ${type}`);
  return { id, query: query as unknown as HubQuery };
}

/** @throws MalformedRecord when it is none */
export function readReply(body: Buffer): { readonly id: number; readonly answer: unknown } {
  return { id: idOf(body), answer: jsonAt(body, 4) };
}
