/**
 * SMTP sink (RFC 5321, STARTTLS of RFC 3207): takes mail and delivers none, for the tests of programs that send some.
 *
 *   hello ──EHLO──▶ ready ──MAIL──▶ envelope ──RCPT, DATA──▶ data ──"."──▶ ready
 *     ▲               │
 *     └───STARTTLS────┘
 */
import { createHash } from "node:crypto";
import { type Conn, defineProtocol, delimited, next, startTls, stop } from "../index.js";

const MAX_SIZE = 10 * 1024 * 1024;
/** As many as every server must take (RFC 5321, 4.5.3.1.8). */
const MAX_RECIPIENTS = 100;
/** A longer line is an error; a bare "\n" is no end of one, or a mail could hide another in it. */
const MAX_LINE = 4096;

interface Mail {
  from: string;
  to: string[];
  body: Buffer[];
  size: number;
}
type Client = Conn<Mail, string>;

const empty = (): Mail => ({ from: "", to: [], body: [], size: 0 });
const reset = ({ data }: Client) => void Object.assign(data, empty());

/** `MAIL FROM:<ada@example.org> SIZE=1000` is `["MAIL", "FROM:<ada@example.org> SIZE=1000"]`. */
function commandOf(line: Buffer): [verb: string, argument: string] {
  const [, verb = "", argument = ""] = /^(\S*) *(.*)$/s.exec(line.toString("latin1")) ?? [];
  return [verb.toUpperCase(), argument];
}

/** The address, which is empty for a bounce; `undefined` where there is none. */
const addressIn = (argument: string, keyword: "FROM" | "TO"): string | undefined =>
  new RegExp(`^${keyword}: *<([^<>\\s]{0,254})>`, "i").exec(argument)?.[1];

function hello(conn: Client, verb: string, domain: string) {
  if (domain === "") return conn.send("501 5.5.4 say your name: EHLO client.example");
  reset(conn);
  if (verb === "HELO") conn.send("250 sink");
  else {
    const extensions = ["sink", "PIPELINING", "8BITMIME", `SIZE ${MAX_SIZE}`];
    if (conn.canStartTls) extensions.push("STARTTLS");
    const last = extensions.length - 1;
    for (const [n, text] of extensions.entries()) conn.send(`250${n === last ? " " : "-"}${text}`);
  }
  return next("ready");
}

function mail(conn: Client, argument: string) {
  const from = addressIn(argument, "FROM");
  if (from === undefined) return conn.send("501 5.5.4 write MAIL FROM:<address>");
  if (Number(/ SIZE=(\d{1,20})/i.exec(argument)?.[1] ?? 0) > MAX_SIZE)
    return conn.send(`552 5.3.4 a message has at most ${MAX_SIZE} bytes`);
  conn.data.from = from;
  conn.send("250 2.1.0 ok");
  return next("envelope");
}

function recipient(conn: Client, argument: string) {
  const to = addressIn(argument, "TO");
  if (!to) return conn.send("501 5.5.4 write RCPT TO:<address>");
  if (conn.data.to.length >= MAX_RECIPIENTS) return conn.send("452 4.5.3 too many recipients");
  conn.data.to.push(to);
  return conn.send("250 2.1.5 ok");
}

/** One line of the message, as it is stored: a dot that was doubled on the way is single again. */
function take({ data }: Client, line: Buffer): void {
  data.size += line.length + 2;
  if (data.size > MAX_SIZE) data.body = [];
  else data.body.push(line[0] === 0x2e ? line.subarray(1) : line);
}

function finish(conn: Client) {
  const { from, to, size, body } = conn.data;
  if (size > MAX_SIZE) conn.send(`552 5.3.4 a message has at most ${MAX_SIZE} bytes`);
  else {
    const hash = createHash("sha256");
    for (const line of body) hash.update(line).update("\r\n");
    const id = hash.digest("hex").slice(0, 16);
    conn.log.info({ from, to, bytes: size, id, tls: conn.tls?.protocol }, "mail");
    conn.send(`250 2.0.0 taken as ${id}`);
  }
  return next("ready");
}

/** What is said in every state; the rest is out of order there. */
function anywhere(conn: Client, verb: string, argument: string) {
  switch (verb) {
    case "EHLO":
    case "HELO":
      return hello(conn, verb, argument);
    case "NOOP":
      return conn.send("250 2.0.0 ok");
    case "RSET":
      reset(conn);
      conn.send("250 2.0.0 ok");
      return conn.state === "envelope" ? next("ready") : undefined;
    case "VRFY":
      return conn.send("252 2.1.5 send mail and see");
    case "QUIT":
      conn.send("221 2.0.0 bye");
      return stop("quit");
    case "MAIL":
    case "RCPT":
    case "DATA":
    case "STARTTLS":
      return conn.send("503 5.5.1 not now");
    default:
      return conn.send("500 5.5.2 unknown command");
  }
}

const silence = {
  after: "5m",
  do: (conn: Client) => {
    conn.send("421 4.4.2 five minutes of silence");
    return stop("idle");
  },
} as const;

const shutdown = (conn: Client) => void conn.send("421 4.3.2 the server goes down");

export default defineProtocol({
  name: "smtp-sink",
  full: "421 too many connections, try again later",
  framing: delimited("\r\n", { maxLength: MAX_LINE }),
  data: empty,
  states: {
    hello: {
      // After STARTTLS the client begins, with EHLO.
      enter: (conn, from) => from === undefined && conn.send("220 sink ESMTP"),
      frame: (conn, line) => anywhere(conn, ...commandOf(line)),
      idle: silence,
      shutdown,
    },
    ready: {
      enter: reset,
      frame: (conn, line) => {
        const [verb, argument] = commandOf(line);
        if (verb === "MAIL") return mail(conn, argument);
        if (verb !== "STARTTLS") return anywhere(conn, verb, argument);
        if (!conn.canStartTls) return conn.send("502 5.5.1 no TLS here, or begun already");
        conn.send("220 2.0.0 go ahead");
        return next("hello", startTls());
      },
      idle: silence,
      shutdown,
    },
    envelope: {
      frame: (conn, line) => {
        const [verb, argument] = commandOf(line);
        if (verb === "RCPT") return recipient(conn, argument);
        if (verb !== "DATA") return anywhere(conn, verb, argument);
        if (conn.data.to.length === 0) return conn.send("503 5.5.1 RCPT first");
        conn.send('354 end with a line that is "."');
        return next("data");
      },
      idle: silence,
      shutdown,
    },
    data: {
      frame: (conn, line) => (line.length === 1 && line[0] === 0x2e ? finish(conn) : take(conn, line)),
      idle: silence,
      shutdown,
    },
  },
});
