/** Child spec of a server, for a supervision tree of the user's own. */
import type { Pid } from "../otp/process/pid.js";
import { onDown } from "../otp/process/process.js";
import type { ChildSpec } from "../otp/supervisor/child-spec.js";
import { Instances, MIN_STOP_MS } from "./protocol/compiled/instances.js";
import type { Protocol } from "./protocol/protocol.js";
import { validateProtocol } from "./protocol/validate/validate.js";
import { FLAGS, prepareListener, type ServeOptions, type ServingListener } from "./serve.js";
import { validateServeOptions } from "./serve-options.js";
import { serverSpec } from "./server.js";

export interface ServerChildOptions<O = any> extends ServeOptions<O> {
  /** Id among the children of the supervisor. Default: the protocol's name. */
  readonly id?: string;
  /** Called each time it listens: `port: 0` takes the same port again when the supervisor restarts it. */
  readonly onListening?: (listener: ServingListener) => void;
}

/**
 * The child spec of a server with its listener and connections: `supervisor("app", {}, [cache, server(echo, { port: 2222 })])`.
 * When its supervisor stops it, it stops accepting and lets connections finish for the shutdown time.
 * @throws TypeError when the protocol or an option has a mistake; what else `serve` throws is a failed start
 */
export function server<O = any>(
  protocol: Protocol<any, any, any, any, any, any, any, O, any>,
  options: ServerChildOptions<NoInfer<O>>,
): ChildSpec {
  const { id = protocol?.name, onListening, ...own } = options;
  validateProtocol(protocol);
  validateServeOptions(own);
  let { port } = own;
  /** `worker.stop` of the last time, which a restart waits for. */
  let stopped: Promise<unknown> | undefined;
  return {
    id,
    type: "supervisor",
    mfargs: ["server", "start_link", [protocol.name]],
    start: async (parent) => {
      await stopped;
      const listener = await prepareListener(
        protocol,
        own.path === undefined ? { ...own, ...(port !== undefined && { port }) } : own,
      );
      let instances: Instances | undefined;
      try {
        instances = new Instances([listener.served]);
        await instances.start();
        const made = listener.server(instances.of(0));
        const pid = (await serverSpec(made, FLAGS, instances.children(FLAGS)).start(parent)) as Pid;
        onDown(pid, () => {
          listener.stop();
          stopped = instances?.stop(Math.max(MIN_STOP_MS, made.endpoint.shutdownMs));
        });
        const serving = listener.serving();
        // Its clients know the port: a restarted server listens on the same one.
        if (port !== undefined) port = serving.port;
        onListening?.(serving);
        return pid;
      } catch (failure) {
        listener.stop();
        await instances?.stop(MIN_STOP_MS);
        throw listener.error ?? failure;
      }
    },
  };
}
