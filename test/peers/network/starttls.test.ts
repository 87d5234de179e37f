/** STARTTLS with real clients: Python's smtplib and `openssl s_client`, over the built program and both transports. */
import { execFile, spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { certificateFile, certificateFiles } from "../../support/certificates/certificates.js";
import { Client } from "../../support/client.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

const python = testWith("python3", "apt-get install python3");
const openssl = testWith("openssl", "apt-get install openssl");

/** SMTP (RFC 5321, 3207) without what a relay would add: mail is accepted only over TLS, and its size is the answer. */
const MAIL = `
import { defineProtocol, delimited, next, startTls, stop } from "drover";

const lines = delimited("\\r\\n", { maxLength: 2_000 });
const verb = (line) => String(line).split(" ")[0]!.toUpperCase();

export default defineProtocol({
  name: "mail",
  framing: lines,
  data: () => ({ body: [] as string[] }),
  states: {
    clear: {
      enter: (conn) => conn.send("220 mail.example ESMTP"),
      frame: (conn, line) => {
        switch (verb(line)) {
          case "EHLO":
            conn.send("250-mail.example");
            return conn.send("250 STARTTLS");
          case "STARTTLS":
            conn.send("220 go ahead");
            return next("secure", startTls());
          case "QUIT":
            conn.send("221 bye");
            return stop();
          default:
            return conn.send("530 STARTTLS first");
        }
      },
    },
    secure: {
      frame: (conn, line) => {
        switch (verb(line)) {
          case "EHLO":
            conn.send("250-mail.example");
            return conn.send("250 SIZE 1000000");
          case "DATA":
            conn.send("354 go ahead");
            conn.data.body = [];
            return next("body");
          case "QUIT":
            conn.send("221 bye");
            return stop();
          default:
            return conn.send("250 ok " + String(line));
        }
      },
    },
    body: {
      frame: (conn, line) => {
        const text = String(line);
        if (text !== ".") return void conn.data.body.push(text.replace(/^\\./, ""));
        conn.send("250 " + conn.data.body.length + " lines");
        return next("secure");
      },
    },
  },
});
`;

const CONFIG = (ports: Readonly<Record<"handle" | "stream", number>>) => {
  const tls = JSON.stringify({ start: "by_protocol", ...certificateFiles("server") });
  const listener = (name: "handle" | "stream") =>
    `{ name: "${name}", protocol: "./mail.ts", port: ${ports[name]}, host: "127.0.0.1", transport: "${name}", tls: ${tls} }`;
  return `
import { defineConfig } from "drover";
export default defineConfig({ workers: 2, control: "mail.sock", listeners: [${listener("handle")}, ${listener("stream")}] });
`;
};

let program: Program;
let adminPort: number;
let ports: Record<"handle" | "stream", number>;

beforeAll(async () => {
  ports = { handle: await freePort(), stream: await freePort() };
  adminPort = await freePort();
  const args = ["start", "--config=mail.config.ts", `--admin-port=${adminPort}`, "--log-format=json"];
  program = new Program(args, { files: { "mail.ts": MAIL, "mail.config.ts": CONFIG(ports) } });
  await program.line(({ msg }) => / serves /.test(msg ?? ""));
});
afterAll(endAll);

const SMTPLIB = `
import smtplib, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[2])
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client", timeout=40) as smtp:
    smtp._host = "localhost"
    print(smtp.ehlo()[0], "starttls" in smtp.esmtp_features)
    print(smtp.docmd("MAIL", "FROM:<ada@example.org>")[0])
    print(smtp.starttls(context=context)[0], smtp.sock.version())
    print(smtp.ehlo()[0], smtp.esmtp_features.get("size"), "starttls" in smtp.esmtp_features)
    for n in range(3):
        body = "Subject: %d\\n\\n.dot\\n" % n + "line\\n" * (1000 * n)
        print(smtp.sendmail("ada@example.org", ["bob@example.org", "cy@example.org"], body))
`;

async function output(program: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve) => {
    const child = execFile(find(program) as string, args, { timeout: 90_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    child.stdin?.end(input);
  });
}

async function closed(listener: string, reason: string): Promise<number> {
  const metrics = (await http(adminPort, "/metrics/now")).body;
  return series(metrics, "drover_connections_closed_total", { listener, reason }) ?? 0;
}

describe.each(["handle", "stream"] as const)("on %s", (transport) => {
  python("smtplib sends mail after STARTTLS", async () => {
    const said = await output("python3", [
      "-c",
      SMTPLIB,
      String(ports[transport]),
      certificateFile("ca.crt"),
    ]);
    expect(said.trim().split("\n")).toEqual([
      "250 True",
      "530",
      expect.stringMatching(/^220 TLSv1\.3/),
      "250 1000000 False",
      ...["{}", "{}", "{}"],
    ]);
  });

  openssl.each(["-tls1_2", "-tls1_3"])("openssl s_client -starttls smtp %s", async (version) => {
    const args = ["s_client", "-starttls", "smtp", version, "-connect", `127.0.0.1:${ports[transport]}`];
    const child = spawn(find("openssl") as string, [
      ...args,
      ...["-quiet", "-verify_return_error", "-CAfile", certificateFile("ca.crt"), "-crlf"],
    ]);
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    const closed = new Promise((resolve) => child.once("close", resolve));
    child.stdin.write("NOOP\nNOOP 2\n");
    await until(() => said.includes("250 ok NOOP 2\r\n"));
    child.stdin.write("QUIT\n");
    // Both of its outputs are read to their end then.
    await closed;
    expect(said.split("\r\n").slice(-4)).toEqual(["250 ok NOOP", "250 ok NOOP 2", "221 bye", ""]);
  });

  openssl("bytes pipelined behind STARTTLS are refused, and no client is answered", async () => {
    const before = await closed(transport, "tls_error");
    const injected = ["STARTTLS\r\nMAIL FROM:<eve@example.org>\r\n", "STARTTLS\r\nEHLO eve\r\n"];
    for (const bytes of injected) {
      const client = await Client.connect(ports[transport]);
      await until(() => client.bytes.toString().endsWith("ESMTP\r\n"));
      client.write(bytes);
      await client.end();
      expect(client.bytes.toString()).toBe("220 mail.example ESMTP\r\n220 go ahead\r\n");
    }
    await eventually(async () => (await closed(transport, "tls_error")) === before + injected.length);
    await program.line(({ msg }) => /bytes in clear behind the command that begins TLS/.test(msg ?? ""));
  });

  openssl("a man in the middle who injects a command behind STARTTLS of a real client", async () => {
    const before = await closed(transport, "tls_error");
    const proxy = createServer((client) => {
      const server = connect(ports[transport], "127.0.0.1");
      server.on("error", () => client.destroy()).pipe(client);
      client.on("error", () => server.destroy());
      client.on("data", (bytes) => {
        const end = bytes.indexOf("STARTTLS\r\n");
        server.write(end === -1 ? bytes : Buffer.concat([bytes, Buffer.from("NOOP injected\r\n")]));
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as { port: number };
    const said = await output(
      "openssl",
      ["s_client", "-starttls", "smtp", "-connect", `127.0.0.1:${port}`],
      "",
    );
    expect(said).not.toContain("injected");
    expect(said).not.toContain("BEGIN CERTIFICATE");
    await eventually(async () => (await closed(transport, "tls_error")) === before + 1);
    proxy.close();
  });
});
