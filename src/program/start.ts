/** `drover start`: checks everything that can fail, then starts the primary. */
import { alreadyRunning, probeInstance } from "../admin/admin.js";
import { isInsideAnotherCluster } from "../cluster/primary/another-cluster.js";
import { ReleaseError } from "../cluster/release/release.js";
import { CurrentReleases, prepareReleases } from "../cluster/release/releases.js";
import {
  EXIT,
  environment,
  inheritedSockets,
  loadConfig,
  stopCompiler,
  takeAdminToken,
  takeNotifySocket,
  workerCount,
} from "../config/config.js";
import { captureConsole } from "../telemetry/log/console.js";
import { guardStandardStreams } from "../telemetry/log/standard-streams.js";
import type { CredentialStore } from "../tls/credentials/credential-store.js";
import { TlsError } from "../tls/errors.js";
import type { Choice } from "../transport/choose-transport.js";
import { clusterNodes } from "./cluster-nodes.js";
import { descriptorLimits } from "./descriptor-limit.js";
import { DEV_SETTINGS } from "./dev/settings.js";
import { openCertificates } from "./listeners/certificates.js";
import { chooseTransports } from "./listeners/choose-transports.js";
import { machineFault } from "./machine.js";
import { DEFAULT_PROTOCOL, refuseTwoProtocols } from "./protocol-argument.js";
import { refuse } from "./refuse.js";
import { Run } from "./run.js";
import { withWorkerLimit } from "./worker-limit.js";

export interface Program {
  readonly version: string;
  /** Script of workers and of trial threads. */
  readonly exec: string;
  /** URL that `drover` stands for in the user's modules. */
  readonly drover: string;
  /** Arguments after `start`: the protocol. Default: `echo`. */
  readonly positionals: readonly string[];
  /** `drover dev`: for the author of a protocol. Default: false. */
  readonly dev?: boolean;
}

/**
 * Runs the server until it is stopped or gives up.
 * @returns the exit code
 * @throws ConfigError when the configuration is refused
 */
export async function startProgram({ version, exec, drover, positionals, dev }: Program): Promise<number> {
  guardStandardStreams();
  captureConsole();
  if (isInsideAnotherCluster())
    return refuse(EXIT.badConfig, "drover runs its own workers: use fork mode, one instance");
  // Before a configuration in TypeScript is compiled, by an OS process of its own.
  let fault = machineFault(1);
  if (fault !== undefined) return refuse(EXIT.unavailable, fault);
  let loaded = await loadConfig({
    ...{ drover, ...descriptorLimits() },
    ...(dev && { commandSettings: DEV_SETTINGS }),
  });
  const { config } = loaded;
  const [named, ...more] = positionals;
  if (more.length > 0)
    return refuse(
      EXIT.usage,
      `${dev ? "dev" : "start"} takes one protocol, unexpected ${more.map((one) => `"${one}"`).join(", ")}`,
    );
  refuseTwoProtocols(named, loaded);
  fault = machineFault(workerCount(config));
  if (fault !== undefined) return refuse(EXIT.unavailable, fault);
  const inherited = inheritedSockets(environment(), process.pid, loaded);
  const given = await takeAdminToken(config);
  const nodes = clusterNodes(config, named ?? DEFAULT_PROTOCOL, process.cwd());
  const notify = takeNotifySocket();
  const running = await probeInstance(config.control);
  if (running) return refuse(EXIT.unavailable, alreadyRunning(config.control, running).message);
  let releases: CurrentReleases;
  const prepare = () => prepareReleases(config.listeners, named ?? DEFAULT_PROTOCOL, process.cwd(), exec);
  let choices: ReadonlyMap<string, Choice>;
  try {
    choices = await chooseTransports(config.listeners);
  } catch (error) {
    return refuse(EXIT.badConfig, (error as Error).message);
  }
  try {
    releases = new CurrentReleases(await prepare());
  } catch (error) {
    if (error instanceof ReleaseError) return refuse(error.exitCode, error.message);
    throw error;
  } finally {
    if (!dev) await stopCompiler();
  }
  loaded = withWorkerLimit(loaded, releases.all);
  let credentials: CredentialStore;
  try {
    credentials = openCertificates(loaded);
  } catch (error) {
    if (error instanceof TlsError) return refuse(EXIT.badConfig, error.message);
    throw error;
  }
  return Run.start({
    credentials,
    version,
    exec,
    loaded,
    releases,
    choices,
    given,
    inherited,
    nodes,
    notify,
    prepare: dev ? prepare : undefined,
  });
}
