/** Creates the file of the control socket: bound under a temporary name with mode 0600, then moved to its path. */
import type { Server } from "node:http";
import {
  moveIntoPlace,
  type SocketFile,
  temporaryPath,
  withPrivateMode,
} from "../../transport/unix/socket-file.js";
import { listen } from "../http/http-server.js";
import { checkLength } from "./socket-path.js";

/** @throws NodeJS.ErrnoException, `EEXIST` when the path exists; then nothing is left open */
export async function createSocketFile(server: Server, path: string): Promise<SocketFile> {
  const temporary = temporaryPath(path);
  checkLength(temporary);
  // `listen` binds before it returns.
  await withPrivateMode(() => listen(server, { path: temporary }));
  try {
    return moveIntoPlace(temporary, path);
  } catch (error) {
    server.close();
    throw error;
  }
}
