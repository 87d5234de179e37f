/** Which transport serves here: the fast one where it is known to work, the portable one everywhere else. */
import { libuv, TESTED_MAJORS } from "./node-bindings.js";
import { stream } from "./stream.js";
import type { Transport } from "./transport.js";

export interface Choice {
  readonly transport: Transport;
  /** For people: why this one. */
  readonly why: string;
}

/**
 * @param wanted what was configured
 * @param tryIt whether to prove that the handle transport works; not needed where that was just done
 * @throws Error when the handle transport was asked for and does not work here
 */
export async function chooseTransport(wanted: "auto" | "handle" | "stream", tryIt = true): Promise<Choice> {
  if (wanted === "stream") return { transport: stream, why: "as configured" };
  const wrong = tryIt ? await unusable(wanted === "auto") : undefined;
  if (wrong === undefined) {
    const { handle } = await import("./handle.js");
    return {
      transport: handle,
      why: wanted === "auto" ? "it works here and is tested with this Node" : "as configured",
    };
  }
  if (wanted === "handle")
    throw new Error(`--transport handle does not work here: ${wrong}; use auto or stream`);
  return { transport: stream, why: wrong };
}

/** Why not the handle transport; `undefined` when it may be used. */
async function unusable(onlyTested: boolean): Promise<string | undefined> {
  const major = Number(process.versions.node.split(".")[0]);
  if (onlyTested && !TESTED_MAJORS.includes(major))
    return `the handle transport is not tested with Node ${major}`;
  if (!libuv()) return "this Node does not have the bindings that it needs";
  // Once: what works does not stop working.
  probed ??= import("./handle-probe.js").then(({ probe }) => probe());
  return probed;
}

let probed: Promise<string | undefined> | undefined;
