/**
 * Control socket: creation, repair, and removal of a stale one. A killed program leaves its socket behind. It is
 * removed only if it is a socket and no program answers on it; nothing else is ever removed.
 *
 * The file may be removed while the program runs: by a cleaner of `/tmp`, or with `/run/user/UID` at the user's last
 * logout. It is looked for each second and created again, with growing pauses while that is not possible.
 */
import type { Server } from "node:http";
import { dirname } from "node:path";
import { clock, type TimerRef } from "../../otp/time/clock.js";
import {
  isInPlace,
  removeSocketFile,
  removeStale,
  type SocketFile,
} from "../../transport/unix/socket-file.js";
import { AdminError } from "../errors.js";
import { controlSocketEvents } from "../events.js";
import { closeServer } from "../http/http-server.js";
import { alreadyRunning, type Instance, probeInstance } from "./running-instance.js";
import { createSocketFile } from "./socket-file.js";
import { checkLength, checkReplaceable, denial, prepareFolder, refusal } from "./socket-path.js";

/** Milliseconds between two looks at the path. */
const CHECK_EVERY = 1_000;
/** Longest pause, in milliseconds, between two attempts to create the socket again. */
const LONGEST_PAUSE = 60_000;

export class ControlSocket {
  readonly #path: string;
  readonly #createServer: () => Server;
  /** Servers whose socket was removed: they still answer on connections from before. */
  readonly #former = new Set<Server>();
  #server: Server;
  #file: SocketFile | undefined = undefined;
  #timer: TimerRef = undefined;
  #pause = CHECK_EVERY;
  /** Why the last attempt has failed; logged when it changes. */
  #failure: string | undefined = undefined;
  #closed = false;

  private constructor(path: string, createServer: () => Server) {
    this.#path = path;
    this.#createServer = createServer;
    this.#server = createServer();
  }

  /**
   * @param createServer called again when the socket has to be created again
   * @throws AdminError when another program holds the socket, or its folder is not safe
   */
  static async open(path: string, createServer: () => Server): Promise<ControlSocket> {
    const socket = new ControlSocket(path, createServer);
    socket.#file = await listenControl(socket.#server, path);
    socket.#schedule();
    return socket;
  }

  /** Opens it now or as soon as that is possible: at a restart of the admin server. */
  static async reopen(path: string, createServer: () => Server): Promise<ControlSocket> {
    const socket = new ControlSocket(path, createServer);
    try {
      socket.#file = await listenControl(socket.#server, path);
    } catch (error) {
      socket.#report((error as Error).message);
    }
    socket.#schedule();
    return socket;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clock.clearTimeout(this.#timer);
    if (this.#file) removeSocketFile(this.#path, this.#file);
    for (const server of this.#former) server.closeAllConnections();
    await closeServer(this.#server);
  }

  #schedule(): void {
    this.#timer = clock.setTimeout(() => void this.#check(), this.#pause, true);
  }

  async #check(): Promise<void> {
    if (this.#file && isInPlace(this.#path, this.#file)) this.#pause = CHECK_EVERY;
    else await this.#repair();
    if (!this.#closed) this.#schedule();
  }

  async #repair(): Promise<void> {
    const server = this.#createServer();
    try {
      const file = await listenControl(server, this.#path);
      if (this.#closed) {
        removeSocketFile(this.#path, file);
        server.close();
        return;
      }
      this.#retire(this.#server);
      this.#server = server;
      this.#file = file;
      this.#pause = CHECK_EVERY;
      this.#report(undefined);
    } catch (error) {
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
      if (!this.#closed) this.#report((error as Error).message);
    }
  }

  #retire(server: Server): void {
    this.#former.add(server);
    server.close(() => this.#former.delete(server));
  }

  #report(failure: string | undefined): void {
    const known = failure !== undefined && failure === this.#failure;
    this.#failure = failure;
    if (!known && controlSocketEvents.hasSubscribers)
      controlSocketEvents.publish({ path: this.#path, failure });
  }
}

/** @throws AdminError when another program holds the socket, or its folder is not safe */
async function listenControl(server: Server, path: string): Promise<SocketFile> {
  checkLength(path);
  prepareFolder(dirname(path));
  await removeDead(path);
  try {
    return await createSocketFile(server, path);
  } catch (error) {
    if (error instanceof AdminError) throw error;
    // Another instance started at the same time and was first.
    if ((error as NodeJS.ErrnoException).code === "EEXIST")
      throw alreadyRunning(path, (await probeInstance(path)) ?? UNKNOWN);
    throw refusal(path, denial(error));
  }
}

const UNKNOWN = { osPid: undefined, name: undefined };

/** Removes the socket of a dead program. */
async function removeDead(path: string): Promise<void> {
  if (!checkReplaceable(path)) return;
  let instance: Instance | undefined;
  try {
    instance = await removeStale(path, probeInstance);
  } catch (error) {
    if (error instanceof AdminError) throw error;
    throw refusal(path, `no program answers on it, and it cannot be removed: ${denial(error)}`);
  }
  if (instance !== undefined) throw alreadyRunning(path, instance);
}
