/** Options of the server's name and of the listener `main`: where it listens, and who owns its socket. */
import { account, fileMode, host, port, socketPath, text } from "../kinds.js";
import { optional, row } from "../row.js";

export const LISTENING = {
  name: row({
    kind: text(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, _ or -"),
    default: "drover",
    placeholder: "NAME",
    sentence: "Name of the server, shown in its tree and logs and used in the path of its control socket.",
  }),
  port: row({
    kind: port(),
    default: 2222,
    placeholder: "PORT",
    sentence: "TCP port to listen on; 0 takes any free port.",
    mainOnly: true,
  }),
  host: row({
    kind: host(),
    default: "::",
    placeholder: "ADDRESS",
    sentence: "Address to listen on; :: is every address, IPv4 and IPv6.",
    mainOnly: true,
  }),
  path: optional({
    kind: socketPath(),
    defaultText: "none: a TCP port",
    placeholder: "PATH",
    sentence: "UNIX socket to listen on instead of a TCP port; on Linux @NAME is an abstract one.",
    mainOnly: true,
  }),
  mode: optional({
    kind: fileMode(),
    defaultText: "0600",
    placeholder: "MODE",
    sentence: "Permissions of the UNIX socket, in octal digits: 0660 lets its group connect.",
    mainOnly: true,
  }),
  owner: optional({
    kind: account("user"),
    defaultText: "the server's user",
    placeholder: "USER",
    sentence: "User that owns the UNIX socket, by name or number.",
    mainOnly: true,
  }),
  group: optional({
    kind: account("group"),
    defaultText: "the server's group",
    placeholder: "GROUP",
    sentence: "Group of the UNIX socket, by name or number.",
    mainOnly: true,
  }),
};
