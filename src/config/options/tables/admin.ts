/** Options of the admin server and of the control socket. */
import { defaultControl } from "../../control-path.js";
import { host, path, port } from "../kinds.js";
import { optional, row } from "../row.js";

export const ADMIN = {
  adminPort: row({
    kind: port(),
    default: 9464,
    placeholder: "PORT",
    sentence: "TCP port of the admin server: metrics, health, tree, observer page; 0 takes any free port.",
  }),
  adminHost: row({
    kind: host(),
    default: "127.0.0.1",
    placeholder: "ADDRESS",
    sentence: "Address of the admin server; by default only this machine can reach it.",
  }),
  adminTokenFile: optional({
    kind: path(),
    defaultText: "none; on loopback a token is generated at each start",
    placeholder: "FILE",
    sentence:
      "File with the bearer token required for changes over the admin port, and for reads from other machines.",
  }),
  control: row({
    kind: path(),
    default: defaultControl,
    defaultText: "drover-UID/NAME.sock in the user's runtime directory",
    placeholder: "PATH",
    sentence: "Path of the control socket, through which the other commands reach this server.",
  }),
};
