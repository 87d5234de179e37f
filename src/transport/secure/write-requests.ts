/** Write requests of TLS sockets on the handle transport, used again and again. */
import { outsideContexts } from "../async-context.js";
import { uv } from "../handle/handle-socket.js";
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
