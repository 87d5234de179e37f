/** `drover check`: runs the checks of `start` without starting the server, and prints how to fix each problem. */

import { readFileSync } from "node:fs";
import { tcpAccess } from "../admin/access/guard.js";
import { type AdminError, alreadyRunning, checkSocketPath, probeInstance } from "../admin/admin.js";
import { jsonText } from "../cli/terminal/json.js";
import { table } from "../cli/terminal/table.js";
import { prepareRelease, ReleaseError } from "../cluster/release/release.js";
import {
  type Config,
  ConfigError,
  EXIT,
  type ListenerConfig,
  type Loaded,
  loadConfig,
  type Sources,
  stopCompiler,
  takeAdminToken,
  workerCount,
} from "../config/config.js";
import { checkLogFile, logFileErrorText } from "../telemetry/log/log-file.js";
import { maxDescriptors } from "../telemetry/metrics/os-process.js";
import { addressText } from "../text/address.js";
import { plural } from "../text/plural.js";
import { chooseTransport } from "../transport/choose-transport.js";
import { bind } from "../transport/listening-socket.js";
import { resolveHost } from "../transport/resolve-host.js";
import { BindError, bindListener } from "./bind-listeners.js";
import { connectionRoom, descriptorLimits } from "./descriptor-limit.js";
import { ADMIN_FLAGS, type AddressFlags, bindAdvice, LISTEN_FLAGS, refuse } from "./refuse.js";

export interface Checking {
  /** Script of trial threads. */
  readonly exec: string;
  readonly sources: Sources;
  readonly positionals: readonly string[];
  readonly json: boolean;
}

interface Finding {
  readonly what: string;
  readonly verdict: "ok" | "warning" | "wrong";
  readonly text: string;
  /** Command that fixes it, or finds the cause. */
  readonly mend?: string | undefined;
  /** Exit code of `start`. */
  readonly exitCode?: number;
}

/** @returns the exit code of `start`, 0 if the server would start */
export async function checkProgram({ exec, sources, positionals, json }: Checking): Promise<number> {
  if (positionals.length > 1) return refuse(EXIT.usage, "too many arguments: drover check [PROTOCOL]");
  const findings = await findAll(exec, sources, positionals);
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

function rows({ what, verdict, text, mend }: Finding): string[][] {
  return [[verdict, what, text], ...(mend === undefined ? [] : [["", "", `fix: ${mend}`]])];
}

async function findAll(exec: string, sources: Sources, positionals: readonly string[]): Promise<Finding[]> {
  let loaded: Loaded;
  try {
    loaded = await loadConfig({ ...sources, ...descriptorLimits() });
  } catch (error) {
    return [configurationWrong(error)];
  }
  const { config, origins, warnings } = loaded;
  const set = Object.values(origins).filter((origin) => origin !== "default").length;
  return [
    {
      what: "configuration",
      verdict: "ok",
      text: `${plural(set, "option")} set, the rest at their defaults`,
    },
    ...warnings.map((text): Finding => ({ what: "configuration", verdict: "warning", text })),
    await protocol(positionals[0] ?? "echo", exec),
    await transport(config),
    await instance(config),
    ...(await Promise.all(config.listeners.map(listenAddress))),
    await port("admin port", config.adminHost, config.adminPort, ADMIN_FLAGS),
    await admin(config),
    ...logFile(config),
    descriptorLimit(config, maxDescriptors()),
    backlog(config),
  ];
}

function configurationWrong(error: unknown): Finding {
  if (!(error instanceof ConfigError)) throw error;
  const { message: text, exitCode } = error;
  return { what: "configuration", verdict: "wrong", text, exitCode };
}

async function protocol(named: string, exec: string): Promise<Finding> {
  try {
    const { name } = await prepareRelease(named, process.cwd(), exec);
    return { what: "protocol", verdict: "ok", text: named === name ? name : `${name}, from ${named}` };
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    return { what: "protocol", verdict: "wrong", text: error.message, exitCode: EXIT.noProtocol };
  } finally {
    await stopCompiler();
  }
}

async function transport(config: Config): Promise<Finding> {
  try {
    const { transport, why } = await chooseTransport(config.transport);
    return { what: "transport", verdict: "ok", text: `${transport.name}: ${why}` };
  } catch (error) {
    const { message: text } = error as Error;
    return { what: "transport", verdict: "wrong", text, exitCode: EXIT.badConfig };
  }
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

/** What the only listener binds. */
async function listenAddress(listener: ListenerConfig): Promise<Finding> {
  if (listener.path === undefined) return port("port", listener.host, listener.port, LISTEN_FLAGS);
  const what = "socket";
  try {
    (await bindListener(listener)).close();
    return { what, verdict: "ok", text: `${listener.path} is free` };
  } catch (error) {
    if (!(error instanceof BindError)) throw error;
    return { what, verdict: "wrong", text: error.message, exitCode: error.exitCode };
  }
}

async function port(what: string, host: string, wanted: number, flags: AddressFlags): Promise<Finding> {
  try {
    const bound = bind(await resolveHost(host), wanted);
    bound.close();
    return {
      what,
      verdict: "ok",
      text: wanted === 0 ? "any free port" : `${addressText(host, wanted)} is free`,
    };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const text = bindAdvice(code, host, wanted, flags) ?? message;
    return { what, verdict: "wrong", text, mend: HELP[code]?.(wanted), exitCode: EXIT.unavailable };
  }
}

const HELP: Readonly<Record<string, (port: number) => string>> = {
  EADDRINUSE: (port) => `ss -ltnp 'sport = :${port}'   # shows which process holds it`,
  EACCES: (port) =>
    `sudo sysctl -w net.ipv4.ip_unprivileged_port_start=${port}   # or choose a port above 1023`,
  EADDRNOTAVAIL: () => "ip -brief address   # lists the addresses of this machine",
};

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

/** A total below this is a warning. */
const FEW = 10_000;

function descriptorLimit(config: Config, limit: number): Finding {
  const what = "descriptors";
  if (limit === 0)
    return { what, verdict: "warning", text: "the limit of open files is unknown on this system" };
  const workers = workerCount(config);
  const most = workers * connectionRoom(limit);
  const text = `${limit} for each OS process: up to ${most} connections with ${plural(workers, "worker")}`;
  if (config.maxConnections !== "auto" || most >= FEW) return { what, verdict: "ok", text };
  const mend = "ulimit -Hn 65536 as root, or LimitNOFILE=65536 in the systemd unit";
  return { what, verdict: "warning", text, mend };
}

function backlog({ backlog: wanted }: Config): Finding {
  const what = "backlog";
  const most = somaxconn();
  if (most === undefined) return { what, verdict: "ok", text: `${wanted}` };
  if (wanted <= most) return { what, verdict: "ok", text: `${wanted}; the kernel allows ${most}` };
  const text = `${wanted} requested, but the kernel allows only ${most}`;
  return { what, verdict: "warning", text, mend: `sudo sysctl -w net.core.somaxconn=${wanted}` };
}

function somaxconn(): number | undefined {
  try {
    return Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"));
  } catch {
    return undefined;
  }
}
