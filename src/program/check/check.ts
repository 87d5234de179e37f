/** `drover check`: runs the checks of `start` without starting the server, and prints how to fix each problem. */

import { tcpAccess } from "../../admin/access/guard.js";
import { type AdminError, alreadyRunning, checkSocketPath, probeInstance } from "../../admin/admin.js";
import { jsonText } from "../../cli/terminal/json.js";
import { table } from "../../cli/terminal/table.js";
import {
  type Config,
  ConfigError,
  EXIT,
  type Loaded,
  loadConfig,
  type Sources,
  takeAdminToken,
} from "../../config/config.js";
import { checkLogFile, logFileErrorText } from "../../telemetry/log/log-file.js";
import { maxDescriptors } from "../../telemetry/metrics/os-process.js";
import { plural } from "../../text/plural.js";
import { descriptorLimits } from "../descriptor-limit.js";
import { DEFAULT_PROTOCOL, refuseTwoProtocols } from "../protocol-argument.js";
import { ADMIN_FLAGS, refuse } from "../refuse.js";
import { checkAddresses, checkPort } from "./check-addresses.js";
import { checkCertificates } from "./check-certificates.js";
import { checkCluster } from "./check-cluster.js";
import { checkBacklog, checkDescriptorLimit } from "./check-machine.js";
import { checkProtocols, checkTransports } from "./check-protocols.js";
import type { Finding } from "./finding.js";

export interface Checking {
  /** Script of trial threads. */
  readonly exec: string;
  readonly sources: Sources;
  readonly positionals: readonly string[];
  readonly json: boolean;
  /** Whether a warning is an error. */
  readonly strict: boolean;
}

/** @returns the exit code of `start`, 0 if the server would start */
export async function checkProgram({ exec, sources, positionals, json, strict }: Checking): Promise<number> {
  if (positionals.length > 1) return refuse(EXIT.usage, "too many arguments: drover check [PROTOCOL]");
  const found = await findAll(exec, sources, positionals);
  const findings = strict ? found.map(asError) : found;
  const code = findings.find(({ verdict }) => verdict === "wrong")?.exitCode ?? EXIT.ok;
  const { isTTY, columns } = process.stdout;
  const text = json
    ? jsonText({ exitCode: code, findings })
    : table(findings.flatMap(rows), isTTY ? columns : undefined);
  // EPIPE: the reader has closed the pipe.
  process.stdout.on("error", () => {});
  await new Promise((resolve) => process.stdout.write(text, resolve));
  return code;
}

function asError(finding: Finding): Finding {
  return finding.verdict === "warning" ? { ...finding, verdict: "wrong", exitCode: EXIT.badConfig } : finding;
}

function rows({ what, verdict, text, mend }: Finding): string[][] {
  return [[verdict, what, text], ...(mend === undefined ? [] : [["", "", `fix: ${mend}`]])];
}

async function findAll(exec: string, sources: Sources, positionals: readonly string[]): Promise<Finding[]> {
  let loaded: Loaded;
  try {
    loaded = await loadConfig({ ...sources, ...descriptorLimits() });
    refuseTwoProtocols(positionals[0], loaded);
  } catch (error) {
    return [configurationWrong(error)];
  }
  const { config, origins, addressPlaces, warnings } = loaded;
  const set = Object.values(origins).filter((origin) => origin !== "default").length;
  return [
    {
      what: "configuration",
      verdict: "ok",
      text: `${plural(set, "option")} set, the rest at their defaults${listenersText(addressPlaces.size)}`,
    },
    ...warnings.map((text): Finding => ({ what: "configuration", verdict: "warning", text })),
    ...(await checkProtocols(loaded, positionals[0] ?? DEFAULT_PROTOCOL, exec)),
    ...(await checkTransports(config.listeners)),
    await instance(config),
    ...(await checkAddresses(config.listeners, addressPlaces)),
    ...checkCertificates(loaded),
    await checkPort("admin port", config.adminHost, config.adminPort, ADMIN_FLAGS),
    await admin(config),
    ...(await checkCluster(config, positionals[0] ?? DEFAULT_PROTOCOL)),
    ...logFile(config),
    checkDescriptorLimit(config, maxDescriptors()),
    checkBacklog(config.listeners),
  ];
}

function listenersText(count: number): string {
  return count === 0 ? "" : `; ${plural(count, "listener")}`;
}

function configurationWrong(error: unknown): Finding {
  if (!(error instanceof ConfigError)) throw error;
  const { message: text, exitCode } = error;
  return { what: "configuration", verdict: "wrong", text, exitCode };
}

async function instance({ control }: Config): Promise<Finding> {
  const what = "control socket";
  try {
    checkSocketPath(control);
    const running = await probeInstance(control);
    if (!running) return { what, verdict: "ok", text: control };
    const { message: text } = alreadyRunning(control, running);
    return { what, verdict: "wrong", text, mend: "drover stop", exitCode: EXIT.unavailable };
  } catch (error) {
    const { message: text, exitCode } = error as AdminError;
    return { what, verdict: "wrong", text, exitCode };
  }
}

async function admin(config: Config): Promise<Finding> {
  const what = "admin token";
  try {
    const { token, warnings } = await takeAdminToken(config);
    tcpAccess(config.adminHost, token);
    const [warning] = warnings;
    if (warning !== undefined) return { what, verdict: "warning", text: warning };
    return { what, verdict: "ok", text: token === undefined ? "generated at each start" : "given" };
  } catch (error) {
    const { message: text, exitCode } = error as AdminError | ConfigError;
    return { what, verdict: "wrong", text, exitCode };
  }
}

function logFile({ logFile: file }: Config): Finding[] {
  const what = "log file";
  if (file === undefined) return [];
  try {
    checkLogFile(file);
    return [{ what, verdict: "ok", text: file }];
  } catch (error) {
    return [{ what, verdict: "wrong", text: logFileErrorText(file, error), exitCode: EXIT.badConfig }];
  }
}
