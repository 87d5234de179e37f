/** Protocols and transports of the listeners. */
import { prepareRelease, type Release, ReleaseError } from "../../cluster/release/release.js";
import {
  protocolLabel,
  protocolsOf,
  refuseUnknownOptions,
  releasesByListener,
} from "../../cluster/release/releases.js";
import {
  type ConfigError,
  EXIT,
  type ListenerConfig,
  type Loaded,
  stopCompiler,
} from "../../config/config.js";
import { chooseTransports, transportTexts } from "../listeners/choose-transports.js";
import { withWorkerLimit } from "../worker-limit.js";
import type { Finding } from "./finding.js";

/** @param fallback protocol of a listener that names none */
export async function checkProtocols(loaded: Loaded, fallback: string, exec: string): Promise<Finding[]> {
  const { listeners } = loaded.config;
  const findings: Finding[] = [];
  const releases = new Map<string, Release>();
  try {
    for (const [named, users] of protocolsOf(listeners, fallback)) {
      const of = listeners.length === 1 ? "" : ` (${users.map(({ name }) => name).join(", ")})`;
      const label = protocolLabel(named, process.cwd());
      const given = users.map(({ options = [] }) => options);
      const release = await prepared(() => prepareRelease(label, process.cwd(), exec, given));
      findings.push(protocolFinding(label, of, release));
      if (!(release instanceof ReleaseError)) releases.set(named, release);
    }
  } finally {
    await stopCompiler();
  }
  // What is wrong with one of them comes first.
  if (releases.size < findings.length) return findings;
  const options = await prepared(() =>
    refuseUnknownOptions(listeners, releasesByListener(listeners, fallback, releases)),
  );
  if (options instanceof ReleaseError) {
    const { message: text, exitCode } = options;
    findings.push({ what: "options", verdict: "wrong", text, exitCode });
  }
  return [...findings, ...checkWorkers(loaded, [...releases.values()])];
}

async function prepared<T>(prepare: () => T | Promise<T>): Promise<T | ReleaseError> {
  try {
    return await prepare();
  } catch (error) {
    if (error instanceof ReleaseError) return error;
    throw error;
  }
}

function protocolFinding(named: string, of: string, release: Release | ReleaseError): Finding {
  const what = "protocol";
  if (release instanceof ReleaseError)
    return { what, verdict: "wrong", text: release.message, exitCode: release.exitCode };
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
