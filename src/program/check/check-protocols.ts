/** Protocols and transports of the listeners. */
import { prepareRelease, ReleaseError } from "../../cluster/release/release.js";
import { protocolLabel, protocolsOf } from "../../cluster/release/releases.js";
import { EXIT, type ListenerConfig, stopCompiler } from "../../config/config.js";
import { chooseTransports, transportTexts } from "../choose-transports.js";
import type { Finding } from "./finding.js";

/** @param fallback protocol of a listener that names none */
export async function checkProtocols(
  listeners: readonly ListenerConfig[],
  fallback: string,
  exec: string,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    for (const [named, users] of protocolsOf(listeners, fallback)) {
      const of = listeners.length === 1 ? "" : ` (${users.join(", ")})`;
      findings.push(await checkProtocol(protocolLabel(named, process.cwd()), of, exec));
    }
  } finally {
    await stopCompiler();
  }
  return findings;
}

async function checkProtocol(named: string, of: string, exec: string): Promise<Finding> {
  const what = "protocol";
  try {
    const { name } = await prepareRelease(named, process.cwd(), exec);
    return { what, verdict: "ok", text: `${named === name ? name : `${name}, from ${named}`}${of}` };
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    return { what, verdict: "wrong", text: error.message, exitCode: EXIT.noProtocol };
  }
}

export async function checkTransports(listeners: readonly ListenerConfig[]): Promise<Finding[]> {
  const what = "transport";
  try {
    const texts = transportTexts(await chooseTransports(listeners));
    return texts.map((text) => ({ what, verdict: "ok", text }));
  } catch (error) {
    const { message: text } = error as Error;
    return [{ what, verdict: "wrong", text, exitCode: EXIT.badConfig }];
  }
}
