/** Validates a protocol before anything starts. Every error names the place and what to write instead. */

import { encode } from "../../../framing/framing.js";
import { Next, POSTPONE, Stop } from "../../../otp/gen-statem/step.js";
import { checkMaxMessages } from "../../../otp/process/mailbox-overflow.js";
import { type Duration, toMs } from "../../../otp/time/duration.js";
import { LIMITS, type LimitOptions, limitsOf, TIMES } from "../limits.js";
import type { AnyProtocol } from "../protocol.js";
import { forward, isSource } from "../sources.js";
import { checkParts } from "./validate-parts.js";

const WORD = /^[a-z][a-z0-9_-]{0,63}$/i;
const KEYS = [
  "name",
  "framing",
  "takes",
  "answers",
  "initial",
  "active",
  "frames",
  "data",
  "states",
  "terminate",
  "becomes",
  "full",
  "limits",
  "maxMessages",
  "workers",
  "options",
  "worker",
  "children",
  "metrics",
  "reasons",
];
const HANDLERS = [
  "enter",
  "frame",
  "message",
  "request",
  "replaced",
  "bad",
  "presence",
  "passive",
  "drained",
  "ended",
  "shutdown",
  "leave",
];
const TIMERS = ["timeout", "idle"];

/**
 * Validates a protocol and all those that its connections may become. Not for `defineProtocol`: where two list each
 * other, the second is not defined yet.
 * @throws TypeError that names the first mistake and its place
 */
export function validateProtocol(protocol: AnyProtocol, family = new Map<string, AnyProtocol>()): void {
  validateDefinition(protocol);
  family.set(protocol.name, protocol);
  for (const other of becomesOf(protocol)) {
    const known = family.get(other?.name);
    if (known === undefined) validateProtocol(other, family);
    else if (known !== other)
      wrongIn(protocol)(
        `"becomes" leads to two protocols called "${other.name}"; give each a name of its own`,
      );
  }
}

/** A protocol and all those that its connections may become. @throws TypeError as `validateProtocol` */
export function familyOf(protocol: AnyProtocol): readonly AnyProtocol[] {
  const family = new Map<string, AnyProtocol>();
  validateProtocol(protocol, family);
  return [...family.values()];
}

/** @throws TypeError when `becomes` does not return a list */
export function becomesOf(protocol: AnyProtocol): readonly AnyProtocol[] {
  const others: unknown = protocol.becomes?.() ?? [];
  if (Array.isArray(others)) return others;
  return wrongIn(protocol)(`"becomes" must return a list of protocols, such as becomes: () => [imap]`);
}

const wrongIn =
  (protocol: AnyProtocol) =>
  (what: string): never => {
    throw new TypeError(`protocol ${JSON.stringify(protocol?.name ?? "?")}: ${what}`);
  };

/** @throws TypeError that names the first mistake and its place */
export function validateDefinition(protocol: AnyProtocol): void {
  const wrong: (what: string) => never = wrongIn(protocol);
  if (typeof protocol !== "object" || protocol === null) {
    throw new TypeError("a protocol is made by defineProtocol({ name, framing, states })");
  }
  const unknown = Object.keys(protocol).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) wrong(`unknown key "${unknown}"; the keys are ${KEYS.join(", ")}`);
  if (typeof protocol.name !== "string" || !WORD.test(protocol.name))
    wrong(`"name" must be a word such as "echo"`);
  checkFraming(protocol.framing, wrong);
  const names = Object.keys(protocol.states ?? {});
  if (names.length === 0) wrong(`"states" must list at least one state`);
  if (protocol.initial !== undefined && !names.includes(protocol.initial)) {
    wrong(`"initial" names no state: "${protocol.initial}"; the states are ${names.join(", ")}`);
  }
  checkActive(protocol.active, wrong);
  checkTakes(protocol.takes, wrong);
  checkAnswers(protocol.answers, wrong);
  const { frames } = protocol;
  if (frames !== undefined && frames !== "kept" && frames !== "borrowed") {
    wrong(`"frames" must be "kept" or "borrowed", got ${JSON.stringify(frames)}`);
  }
  checkFull(protocol, wrong);
  checkLimits(protocol.limits, wrong);
  for (const key of ["data", "terminate", "becomes"] as const) {
    if (protocol[key] !== undefined && typeof protocol[key] !== "function")
      wrong(`"${key}" must be a function, got ${typeof protocol[key]}`);
  }
  checkMaxMessages(`protocol "${protocol.name}"`, protocol.maxMessages);
  checkWorkers(protocol.workers, wrong);
  checkParts(protocol, wrong);
  for (const name of names) checkState(name, protocol.states[name], names, wrong);
}

/** What a framing lacks would otherwise crash every connection. */
export function checkFraming(framing: any, wrong: (what: string) => never): void {
  const needed = ["decoder", "encodedLength", "encodeInto"];
  const missing = needed.find((name) => typeof framing?.[name] !== "function");
  if (missing === undefined) return;
  const own = typeof framing?.decoder === "function" ? `, which needs a function "${missing}"` : "";
  wrong(`"framing" must be packet(2), lines(), raw() or one of your own${own}`);
}

/** The frame is encoded here, so that no client finds out that it cannot be. */
function checkFull({ framing, full }: AnyProtocol, wrong: (what: string) => never): void {
  if (full === undefined) return;
  try {
    encode(framing, full);
  } catch (error) {
    wrong(`"full" cannot be sent by its framing: ${(error as Error).message}`);
  }
}

function checkWorkers(workers: unknown, wrong: (what: string) => never): void {
  if (workers === undefined || (Number.isInteger(workers) && (workers as number) > 0)) return;
  const got = typeof workers === "number" ? String(workers) : JSON.stringify(workers);
  wrong(`"workers" must be a whole number above 0, such as workers: 1, got ${got}`);
}

function checkAnswers(answers: unknown, wrong: (what: string) => never): void {
  if (answers === undefined || isSource(answers)) return;
  wrong(`"answers" must be a family of names: names("device")`);
}

function checkTakes(takes: unknown, wrong: (what: string) => never): void {
  if (takes === undefined || [takes].flat().every(isSource)) return;
  wrong(`"takes" must be a group, a family of groups, or a list of them: group("lobby"), groups("room")`);
}

export function checkActive(active: unknown, wrong: (what: string) => never): void {
  if (active === undefined || active === "once" || active === true) return;
  if (typeof active === "number" && Number.isInteger(active) && active >= 1 && active <= 32767) return;
  wrong(`"active" must be "once", true, or a whole number from 1 to 32767, got ${JSON.stringify(active)}`);
}

function checkLimits(limits: LimitOptions | undefined, wrong: (what: string) => never): void {
  for (const [key, value] of Object.entries(limits ?? {})) {
    if (!Object.hasOwn(LIMITS, key)) {
      wrong(`unknown key limits.${key}; the limits are ${Object.keys(LIMITS).join(", ")}`);
    }
    if ((TIMES as readonly string[]).includes(key)) checkTime(key, value, wrong);
    else if (value !== Infinity && !(Number.isInteger(value) && (value as number) > 0))
      wrong(`limits.${key} must be a whole number above 0, got ${JSON.stringify(value)}`);
  }
  const { lowWater, highWater, maxOutbound } = limitsOf(limits);
  if (lowWater <= highWater && highWater <= maxOutbound) return;
  const given = `${lowWater}, ${highWater} and ${maxOutbound}`;
  wrong(`limits.lowWater, limits.highWater and limits.maxOutbound must not fall in this order, got ${given}`);
}

function checkTime(key: string, value: unknown, wrong: (what: string) => never): void {
  if (value === Infinity) return;
  try {
    if (toMs(value as Duration) > 0) return;
  } catch {}
  wrong(`limits.${key} must be a time above 0: milliseconds, or "30s", got ${JSON.stringify(value)}`);
}

function checkState(
  name: string,
  state: any,
  names: readonly string[],
  wrong: (what: string) => never,
): void {
  if (typeof state !== "object" || state === null)
    wrong(`states.${name} must be an object with the state's events`);
  for (const [key, cell] of Object.entries<any>(state)) {
    const place = `states.${name}.${key}`;
    if (cell === undefined) continue;
    if (HANDLERS.includes(key)) {
      if (key === "message" && cell === forward) continue;
      if (typeof cell !== "function") wrong(`${place} must be a function (conn, …) => step`);
    } else if (TIMERS.includes(key)) {
      checkTimer(place, cell, names, wrong);
    } else if (key === "timers") {
      checkTimers(place, cell, names, wrong);
    } else {
      wrong(`unknown key ${place}; a state has ${[...HANDLERS, ...TIMERS, "timers"].join(", ")}`);
    }
  }
}

function checkTimers(
  place: string,
  timers: any,
  names: readonly string[],
  wrong: (what: string) => never,
): void {
  if (typeof timers !== "object" || timers === null)
    wrong(`${place} must be an object of timers by name, such as { ping: { after: "30s", do: … } }`);
  for (const [name, cell] of Object.entries<any>(timers)) {
    if (!WORD.test(name)) wrong(`${place}: a timer's name must be a word such as "ping", got "${name}"`);
    if (cell === undefined) continue;
    const timed = typeof cell === "object" && cell !== null && "after" in cell;
    const here = timed ? `${place}.${name}.do` : `${place}.${name}`;
    if (timed) checkAfter(`${place}.${name}.after`, cell.after, wrong);
    const action = timed ? cell.do : cell;
    if (action !== POSTPONE) checkAction(here, action, names, wrong);
  }
}

function checkTimer(
  place: string,
  cell: any,
  names: readonly string[],
  wrong: (what: string) => never,
): void {
  checkAfter(`${place}.after`, cell?.after, wrong);
  checkAction(`${place}.do`, cell?.do, names, wrong);
}

function checkAfter(place: string, after: any, wrong: (what: string) => never): void {
  try {
    if (after !== Infinity) toMs(after);
  } catch (error) {
    wrong(`${place}: ${(error as Error).message}`);
  }
}

function checkAction(
  place: string,
  action: unknown,
  names: readonly string[],
  wrong: (what: string) => never,
): void {
  if (action instanceof Next && !names.includes(action.state)) {
    wrong(`${place} names no state: "${action.state}"; the states are ${names.join(", ")}`);
  }
  if (typeof action === "function" || action instanceof Next || action instanceof Stop) return;
  wrong(`${place} must be next("state"), stop("reason") or a function`);
}
