/** Write requests and queue memory of TLS sockets, used again and again. */
import { outsideContexts } from "../async-context.js";
import { uv } from "../handle-socket.js";
import { DETACHED, type TlsWriteRequest } from "./tls-binding.js";

/** The last request whose write went asynchronous. */
let spare: TlsWriteRequest | undefined;

export function takeRequest(socket: object): TlsWriteRequest {
  const kept = spare;
  spare = undefined;
  // It may still be in its own callback: microtasks run there.
  const request = kept !== undefined && kept.getAsyncId() === DETACHED ? kept : outsideContexts(makeRequest);
  request.socket = socket;
  return request;
}

export function returnRequest(request: TlsWriteRequest): void {
  request.socket = request.oncomplete = undefined;
  spare = request;
}

function makeRequest(): TlsWriteRequest {
  const made = new uv.WriteWrap() as object as TlsWriteRequest;
  made.oncomplete = undefined;
  made.socket = undefined;
  return made;
}

/** Bytes written while the write before them was on its way through the event loop: most that one socket holds. */
const QUEUE_SIZE = 64 * 1024;
/** Memory kept for reuse; more than so many sockets seldom write twice in a turn. */
const MAX_KEPT = 16;

const kept: Buffer[] = [];

export class QueuedBytes {
  #memory = kept.pop() ?? Buffer.allocUnsafeSlow(QUEUE_SIZE);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @returns false when there is no room */
  append(bytes: Uint8Array): boolean {
    if (bytes.length > QUEUE_SIZE - this.#length) return false;
    this.#memory.set(bytes, this.#length);
    this.#length += bytes.length;
    return true;
  }

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /** Its memory is no longer used. */
  free(): void {
    if (kept.length < MAX_KEPT) kept.push(this.#memory);
  }
}
