/** Opens one outgoing connection: dials, then starts its process under a parent. */
import { ProcessExit } from "../../otp/process/exit-reason.js";
import type { Pid } from "../../otp/process/pid.js";
import { type Process, processOf } from "../../otp/process/process.js";
import { register, whereis } from "../../otp/process/registry.js";
import { cleanContext } from "../../transport/async-context.js";
import { chooseTransport } from "../../transport/choose-transport.js";
import type { Socket, Transport } from "../../transport/transport.js";
import { Connection } from "../connection/connection.js";
import type { CompiledProtocol } from "../protocol/compiled/compiled-protocol.js";
import { ConnectError } from "./connect-error.js";
import { Dial } from "./dial.js";
import type { CheckedConnect } from "./options.js";
import { compiledProtocol, countDial, outgoingProtocol } from "./outgoing-protocol.js";

/** Transport of connections that name none; set by a worker. */
let ownTransport: Transport["name"] | undefined;

export function useOutgoingTransport(name: Transport["name"]): void {
  ownTransport = name;
}

/** An attempt that can be cancelled. */
export interface Opening {
  readonly pid: Promise<Pid>;
  /** Rejects `pid` with the code `cancelled`, unless it is settled. */
  cancel(): void;
}

/** Starts a process under its parent. @throws ProcessExit when there is no parent any more */
export type Place = (start: (parent: Process) => Pid) => Pid;

/**
 * @param place called when the socket is open
 * @param started called with the pid before the process runs any code of the protocol
 */
export function open(connect: CheckedConnect, place: Place, started?: (pid: Pid) => void): Opening {
  const { connects } = outgoingProtocol(connect.protocol);
  let cancelled = false;
  let dial: Dial | undefined;
  const opened = async (): Promise<Pid> => {
    checkName(connect.name);
    const compiled = compiledProtocol(connect.protocol, connect.options);
    const { transport } = await chooseTransport(
      connect.transport ?? ownTransport ?? "auto",
      ownTransport === undefined,
      connect.tls !== undefined,
    );
    if (cancelled) throw new ConnectError("cancelled", `connect to ${Dial.place(connect)} was cancelled`);
    return new Promise((resolve, reject) => {
      countDial(1);
      dial = new Dial(connect, transport, {
        opened: (socket, read) => {
          countDial(-1);
          connects.open++;
          try {
            const connection = create(connect, compiled, place, socket);
            started?.(connection.pid);
            const { data } = connect;
            cleanContext().runInAsyncScope(connection.socketReady, connection, socket, {
              started: read,
              data,
            });
            resolve(connection.pid);
          } catch (error) {
            reject(error);
          }
        },
        failed: (error) => {
          countDial(-1);
          connects[error.result]++;
          reject(error);
        },
      });
    });
  };
  const cancel = () => {
    cancelled = true;
    dial?.cancel();
  };
  return { pid: opened(), cancel };
}

/** @throws ProcessExit `{ already_started }` when the name is taken */
function checkName(name: string | undefined): void {
  const holder = name !== undefined && whereis(name);
  if (holder) throw new ProcessExit({ already_started: holder }, `"${name}" is already started as ${holder}`);
}

/** @throws ProcessExit when there is no parent, or the name was taken meanwhile; then the socket is closed */
function create(
  { protocol, name }: CheckedConnect,
  compiled: CompiledProtocol,
  place: Place,
  socket: Socket,
): Connection {
  try {
    checkName(name);
    const { endpoint } = outgoingProtocol(protocol);
    const pid = place((parent) => new Connection(endpoint, compiled, parent).pid);
    if (name !== undefined) register(name, pid);
    return processOf(pid) as Connection;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Under one process. */
export function under(parent: Process | undefined): Place {
  return (start) => {
    if (parent?.alive) return start(parent);
    throw new ProcessExit("noproc", "connect: the parent of the connection has exited");
  };
}
