/** Protocols and transports of the listeners. */
import { prepareRelease, type Release, ReleaseError } from "../../cluster/release/release.js";
import { protocolLabel, protocolsOf } from "../../cluster/release/releases.js";
import {
  type ConfigError,
  EXIT,
  type ListenerConfig,
  type Loaded,
  stopCompiler,
} from "../../config/config.js";
import { chooseTransports, transportTexts } from "../choose-transports.js";
import { withWorkerLimit } from "../worker-limit.js";
import type { Finding } from "./finding.js";

/** @param fallback protocol of a listener that names none */
export async function checkProtocols(loaded: Loaded, fallback: string, exec: string): Promise<Finding[]> {
  const { listeners } = loaded.config;
  const findings: Finding[] = [];
  const releases: Release[] = [];
  try {
    for (const [named, users] of protocolsOf(listeners, fallback)) {
      const of = listeners.length === 1 ? "" : ` (${users.join(", ")})`;
      const release = await prepared(protocolLabel(named, process.cwd()), exec);
      findings.push(protocolFinding(protocolLabel(named, process.cwd()), of, release));
      if (!(release instanceof ReleaseError)) releases.push(release);
    }
  } finally {
    await stopCompiler();
  }
  return [...findings, ...checkWorkers(loaded, releases)];
}

async function prepared(named: string, exec: string): Promise<Release | ReleaseError> {
  try {
    return await prepareRelease(named, process.cwd(), exec);
  } catch (error) {
    if (error instanceof ReleaseError) return error;
    throw error;
  }
}

function protocolFinding(named: string, of: string, release: Release | ReleaseError): Finding {
  const what = "protocol";
  if (release instanceof ReleaseError)
    return { what, verdict: "wrong", text: release.message, exitCode: EXIT.noProtocol };
  const { name } = release;
  return { what, verdict: "ok", text: `${named === name ? name : `${name}, from ${named}`}${of}` };
}

/** Only what is wrong: the number of workers is shown beside the descriptors. */
function checkWorkers(loaded: Loaded, releases: readonly Release[]): Finding[] {
  try {
    withWorkerLimit(loaded, releases);
    return [];
  } catch (error) {
    const { message: text, exitCode } = error as ConfigError;
    return [{ what: "workers", verdict: "wrong", text, exitCode }];
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
