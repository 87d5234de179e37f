/** Options of groups and names, and of the other servers that share them through NATS. */
import { hostname } from "node:os";
import { NODE_NAME } from "../../../text/node-name.js";
import { duration, integer, natsUrls, oneOf, path, text } from "../kinds.js";
import { optional, row } from "../row.js";

export const CLUSTER = {
  maxMessage: row({
    kind: integer(1, 64 * 1024 * 1024),
    default: 65_536,
    placeholder: "BYTES",
    sentence: "Maximum size of a message to a group or a name, in bytes; a larger one is refused at send.",
  }),
  nats: optional({
    kind: natsUrls(),
    defaultText: "none: this machine only",
    placeholder: "URLS",
    sentence:
      "NATS servers through which several machines share groups and names: nats://n1:4222,tls://n2:4222.",
  }),
  natsCreds: optional({
    kind: path(),
    defaultText: "none; or DROVER_NATS_USER and DROVER_NATS_PASSWORD, or DROVER_NATS_TOKEN",
    placeholder: "FILE",
    sentence: "File with the JWT and the seed of the NATS user, as nsc writes it.",
  }),
  natsCa: optional({
    kind: path(),
    defaultText: "the authorities of Node",
    placeholder: "FILE",
    sentence: "PEM file with the authorities of the NATS servers' certificates.",
  }),
  natsCert: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the client certificate for NATS servers that ask for one.",
  }),
  natsKey: optional({
    kind: path(),
    defaultText: "none",
    placeholder: "FILE",
    sentence: "PEM file with the private key of --nats-cert.",
  }),
  cluster: row({
    kind: text(/^[A-Za-z0-9_-]{1,64}$/, "1 to 64 letters, digits, _ or -"),
    default: ({ name }) => name,
    defaultText: "that of --name",
    placeholder: "NAME",
    sentence: "Name of the cluster: servers that share it, and NATS, share groups and names.",
  }),
  node: row({
    kind: text(NODE_NAME, "1 to 64 letters, digits, ., _ or -"),
    default: nodeName,
    defaultText: "the host name",
    placeholder: "NAME",
    sentence: "Name of this server in its cluster, unique there.",
  }),
  nodeTimeout: row({
    kind: duration(1),
    default: 4000,
    placeholder: "DURATION",
    sentence: "Silence after which another server of the cluster counts as gone.",
  }),
  takeOver: row({
    kind: duration(1),
    default: 1000,
    placeholder: "DURATION",
    sentence: "How long a claim of a name waits for the end of the connection that holds it.",
  }),
  outside: row({
    kind: oneOf("on", "off"),
    default: "off",
    placeholder: "SWITCH",
    sentence: "on lets other NATS clients ask names and publish to groups, on the subjects of the cluster.",
  }),
};

/** The host name, without what a node name cannot have. */
function nodeName(): string {
  return (
    hostname()
      .replace(/[^A-Za-z0-9._-]/g, "-")
      .slice(0, 64) || "node"
  );
}
