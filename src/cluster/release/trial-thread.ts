/** Trial thread: loads the protocol before the server starts, and checks that the module exports a valid one. */
import { parentPort, workerData } from "node:worker_threads";
import { thrownAt, thrownReason } from "../../config/config.js";
import { metricsOf, type ProtocolMetrics } from "../../tcp/metrics/own-numbers.js";
import { takeProtocolLines } from "../../tcp/observe/protocol-log.js";
import {
  type GivenOption,
  type KnownOptions,
  knownOptions,
  OptionError,
  readOptions,
  type ShownOption,
  showOptions,
} from "../../tcp/protocol/options/options.js";
import type { AnyProtocol } from "../../tcp/protocol/protocol.js";
import { familyOf } from "../../tcp/protocol/validate/validate.js";
import { importProtocol, type ProtocolModule } from "./protocol-module.js";

/** Data for the thread. */
export interface Trial {
  readonly module: ProtocolModule;
  /** Name of the file in messages. */
  readonly label: string;
  /** The options that were given for each listener that serves it. */
  readonly given: readonly (readonly GivenOption[])[];
}

/** What is known of the protocol outside of the thread. */
export interface ProtocolFacts {
  /** The protocol's own name. */
  readonly name: string;
  /** Whether it takes messages of groups. */
  readonly groups: boolean;
  /** Maximum number of workers, of it and of all protocols that its connections may become. */
  readonly workers: number;
  /** Options of it and of all protocols that its connections may become. */
  readonly options: readonly KnownOptions[];
  /** Metrics and close reasons, of the same protocols. */
  readonly own: readonly ProtocolMetrics[];
  /** Values of the options, by listener as they were given. */
  readonly values: readonly (readonly ShownOption[])[];
}

/** Result that the thread posts. */
export type Verdict =
  | ProtocolFacts
  | { readonly wrong: string; readonly option?: { readonly text: boolean } };

export async function runTrial(): Promise<void> {
  const { module: candidate, label, given } = workerData as Trial;
  // What the module logs while it is loaded is logged by the workers.
  takeProtocolLines();
  const post = (verdict: Verdict) => parentPort?.postMessage(verdict);
  try {
    const protocol = await importProtocol(candidate);
    if (protocol === undefined) {
      return post({ wrong: `${label}: has no default export: write export default defineProtocol({ … })` });
    }
    post(factsOf(protocol, given));
  } catch (error) {
    if (error instanceof OptionError)
      return post({ wrong: error.message, option: { text: error.given?.text === true } });
    const position = "user" in candidate ? thrownAt(error, candidate.user, label) : label;
    post({ wrong: `${position}: ${thrownReason(error)}` });
  }
}

/** @throws TypeError when the protocol is wrong; OptionError when its options are */
function factsOf(protocol: AnyProtocol, given: Trial["given"]): ProtocolFacts {
  const family = familyOf(protocol);
  return {
    name: protocol.name,
    groups: protocol.takes !== undefined || protocol.answers !== undefined,
    workers: Math.min(...family.map(({ workers = Infinity }) => workers)),
    options: family.map(knownOptions),
    own: family.map(metricsOf),
    values: given.map((some) => family.flatMap((one) => showOptions(one, readOptions(one, some)))),
  };
}
