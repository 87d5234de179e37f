/**
 * Chooses the transport of a listener: `handle` where the probe passes on a tested Node major, `stream` everywhere
 * else. A listener with TLS needs a second probe, so it may have another transport than a plain one.
 */
import { libuv, TESTED_MAJORS } from "./handle/node-bindings.js";
import { stream } from "./stream/stream.js";
import type { Transport } from "./transport.js";

export interface Choice {
  readonly transport: Transport;
  /** Reason, logged at start and shown by `drover check`. */
  readonly why: string;
}

/**
 * @param wanted the option `transport`
 * @param runProbe whether to probe the handle transport; false in workers, where the primary has done so
 * @param tls whether it must do TLS
 * @throws Error when `handle` is configured and does not work here
 */
export async function chooseTransport(
  wanted: "auto" | "handle" | "stream",
  runProbe = true,
  tls = false,
): Promise<Choice> {
  if (wanted === "stream") return { transport: stream, why: "as configured" };
  const problem = runProbe
    ? ((await handleProblem(wanted === "auto")) ?? (tls ? await tlsProblem() : undefined))
    : undefined;
  if (problem === undefined) {
    const { handle } = await import("./handle/handle.js");
    return {
      transport: handle,
      why: wanted === "auto" ? "the probe passed and this Node major is tested" : "as configured",
    };
  }
  if (wanted === "handle")
    throw new Error(`--transport handle does not work here: ${problem}; use --transport auto or stream`);
  return { transport: stream, why: problem };
}

/** Of links between OS processes of this program: `handle` where a listener has it, and so works here. */
export function linkTransport(
  listeners: readonly { readonly transport: Transport["name"] }[],
): Transport["name"] {
  return listeners.some(({ transport }) => transport === "handle") ? "handle" : "stream";
}

/** Why the handle transport cannot be used; `undefined` if it can. */
async function handleProblem(onlyTested: boolean): Promise<string | undefined> {
  const major = Number(process.versions.node.split(".")[0]);
  if (onlyTested && !TESTED_MAJORS.includes(major))
    return `the handle transport is not tested with Node ${major}`;
  if (!libuv()) return "this Node does not have the bindings of libuv that it needs";
  // Once per OS process.
  probeResult ??= import("./handle/handle-probe.js").then(({ probe }) => probe());
  return probeResult;
}

/** Why it cannot do TLS here; `undefined` if it can. */
function tlsProblem(): Promise<string | undefined> {
  tlsProbeResult ??= import("./secure/secure-probe.js").then(({ probeTls }) => probeTls());
  return tlsProbeResult;
}

let probeResult: Promise<string | undefined> | undefined;
let tlsProbeResult: Promise<string | undefined> | undefined;
