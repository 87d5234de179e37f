/** A real HAProxy in front of the built program: both versions of the PROXY header, their TLVs, and its health checks. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { afterAll, beforeAll, expect } from "vitest";
import { http } from "../../support/admin-http.js";
import { certificateFile, certificatePem } from "../../support/certificates/certificates.js";
import { Client } from "../../support/client.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

const haproxy = testWith("haproxy", "apt-get install haproxy");

/** Answers each line with what it knows of the client. */
const MIRROR = `
import { defineProtocol, lines } from "drover";
export default defineProtocol({
  name: "mirror",
  framing: lines(),
  data: (peer, { via, local, proxy }) => ({ peer, via, local, version: proxy?.version, isLocal: proxy?.local,
    authority: proxy?.authority, alpn: proxy?.alpn, uniqueId: proxy?.uniqueId?.toString(), ssl: proxy?.ssl,
    tlvs: proxy && [...proxy.tlvs.keys()] }),
  states: { ready: { frame: (conn, line) => conn.send(line + " " + JSON.stringify({ ...conn.data, tls: conn.tls?.protocol })) } },
});
`;

interface Stage {
  readonly program: Program;
  readonly adminPort: number;
  readonly ports: Record<"v1" | "v2" | "six" | "tls" | "pass" | "other", number>;
  readonly dir: string;
  readonly child: ChildProcess;
}

let stage: Stage;

beforeAll(async () => {
  if (!find("haproxy")) return;
  const dir = mkdtempSync(join(tmpdir(), "drover-haproxy-"));
  const [port, securePort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const own = { protocol: "./mirror.ts", host: "127.0.0.1", proxy: { from: ["127.0.0.1"] } };
  const config = {
    ...{ workers: 2, adminPort, logFormat: "json", logLevel: "debug" },
    listeners: [
      { ...own, name: "main", port },
      {
        ...own,
        name: "secure",
        port: securePort,
        tls: { cert: certificateFile("server.crt"), key: join(dir, "server.key") },
      },
    ],
  };
  writeFileSync(join(dir, "server.key"), certificatePem("server").key, { mode: 0o600 });
  const files = { "mirror.ts": MIRROR, "acme.json": JSON.stringify(config) };
  const program = new Program(["start", "--config=acme.json", "--lag-warning=1h"], { files });
  await program.line((line) => / serves /.test(line.msg ?? ""));
  const ports = {
    ...{ v1: await freePort(), v2: await freePort(), six: await freePort() },
    ...{ tls: await freePort(), pass: await freePort(), other: await freePort() },
  };
  const pair = certificatePem("a.example");
  writeFileSync(join(dir, "pair.pem"), pair.cert + pair.key);
  writeFileSync(join(dir, "haproxy.cfg"), configuration(dir, ports, port, securePort));
  const child = spawn(find("haproxy") as string, ["-db", "-f", join(dir, "haproxy.cfg")], { stdio: "pipe" });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
  stage = { program, adminPort, ports, dir, child };
  await eventually(async () => {
    if (child.exitCode !== null) throw new Error(`haproxy ended: ${said}`);
    return (await statuses(dir).catch(() => "")) === "UP UP UP UP UP no check UP";
  });
});

afterAll(async () => {
  if (!stage) return;
  const ended = new Promise((resolve) => stage.child.once("close", resolve));
  stage.child.kill("SIGKILL");
  await ended;
  await endAll();
  rmSync(stage.dir, { recursive: true, force: true });
});

function configuration(dir: string, ports: Stage["ports"], to: number, secure: number): string {
  const section = (name: string, bind: string, options: string, more = "", check = "check inter 200ms") => `
frontend ${name}
  bind ${bind}
  ${more}
  default_backend to_${name}
backend to_${name}
  server drover 127.0.0.1:${name === "pass" ? secure : to} ${options} ${check}
`;
  const all = "send-proxy-v2 proxy-v2-options ssl,cert-cn,authority,crc32c,unique-id";
  const tls = `127.0.0.1:${ports.tls} ssl crt ${dir}/pair.pem verify optional ca-file ${certificateFile("ca.crt")} alpn h2,acme`;
  return `
global
  stats socket ${dir}/stats.sock
defaults
  mode tcp
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${section("v1", `127.0.0.1:${ports.v1}`, "send-proxy check-send-proxy")}
${section("v2", `127.0.0.1:${ports.v2}`, "send-proxy-v2 check-send-proxy")}
${section("six", `[::1]:${ports.six}`, "send-proxy-v2")}
${section("tls", tls, all, "unique-id-format drover-%ci:%cp")}
${section("pass", `127.0.0.1:${ports.pass}`, "send-proxy-v2 check-send-proxy")}
${section("other", `127.0.0.1:${ports.other}`, "send-proxy-v2 source 127.0.0.2", "", "")}
${section("unix", `unix@${dir}/front.sock`, "send-proxy-v2")}
`;
}

/** `UP` for each server whose health check succeeds. */
function statuses(dir: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(join(dir, "stats.sock"), () => void socket.write("show stat\n"));
    socket.on("error", reject).setEncoding("utf8");
    socket
      .on("data", (chunk: string) => (text += chunk))
      .on("close", () => {
        const rows = text.split("\n").map((line) => line.split(","));
        const at = rows[0]?.indexOf("status") ?? -1;
        resolve(
          rows
            .filter(([, name]) => name === "drover")
            .map((row) => row[at])
            .join(" "),
        );
      });
  });
}

/** Sends a line through HAProxy, and returns what the server knows of this client. */
async function ask(client: Client): Promise<Record<string, any>> {
  client.write("hello\n");
  await until(() => client.bytes.includes("\n") || client.closed);
  const answer = client.bytes.toString();
  expect(answer.slice(0, 6)).toBe("hello ");
  await client.close();
  return JSON.parse(answer.slice(6));
}

async function secure(options: ConnectionOptions): Promise<Client> {
  const socket = connectTls({
    port: stage.ports.tls,
    host: "127.0.0.1",
    servername: "a.example",
    ca: readFileSync(certificateFile("ca.crt")),
    ...options,
  });
  await new Promise((resolve, reject) =>
    socket.once("secureConnect", () => resolve(undefined)).once("error", reject),
  );
  return new Client(socket);
}

haproxy("version 1 and version 2: the client's address, and the proxy's", async () => {
  for (const [version, port] of [
    [1, stage.ports.v1],
    [2, stage.ports.v2],
  ] as const) {
    const client = await Client.connect(port);
    const own = client.socket.localPort;
    expect(await ask(client)).toMatchObject({
      version,
      peer: { address: "127.0.0.1", port: own },
      via: { address: "127.0.0.1", port: expect.any(Number) },
      local: { address: "127.0.0.1", port },
    });
  }
});

haproxy("an IPv6 client of an IPv4 connection", async () => {
  const client = await Client.connect(stage.ports.six, "::1");
  const own = client.socket.localPort;
  expect(await ask(client)).toMatchObject({
    peer: { address: "::1", port: own },
    via: { address: "127.0.0.1" },
    local: { address: "::1", port: stage.ports.six },
  });
});

haproxy(
  "TLS at HAProxy: host name, ALPN, unique id, client certificate, and a checksum that fits",
  async () => {
    const client = await secure({ ...certificatePem("client"), ALPNProtocols: ["acme"] });
    const own = client.socket.localPort;
    const known = await ask(client);
    expect(known).toMatchObject({
      peer: { address: "127.0.0.1", port: own },
      authority: "a.example",
      uniqueId: `drover-127.0.0.1:${own}`,
      ssl: {
        tls: true,
        version: "TLSv1.3",
        commonName: "device-1",
        certificateOnConnection: true,
        verified: true,
      },
    });
    expect(known.tlvs).toEqual(expect.arrayContaining([0x02, 0x03, 0x05, 0x20]));
    const anonymous = await ask(await secure({}));
    expect(anonymous.ssl).toMatchObject({ tls: true, certificateOnConnection: false, verified: false });
  },
);

haproxy("TLS passed through: the header comes before the handshake, which is ours", async () => {
  const client = await secure({ port: stage.ports.pass, servername: "localhost" });
  const own = client.socket.localPort;
  expect(await ask(client)).toMatchObject({
    peer: { address: "127.0.0.1", port: own },
    via: { address: "127.0.0.1" },
    local: { address: "127.0.0.1", port: stage.ports.pass },
    tls: "TLSv1.3",
  });
});

haproxy("a client of a UNIX socket, which HAProxy announces as LOCAL, with data behind it", async () => {
  const socket = connect(join(stage.dir, "front.sock"));
  await new Promise((resolve) => socket.once("connect", resolve));
  const known = await ask(new Client(socket));
  expect(known).toMatchObject({ version: 2, isLocal: true, peer: { address: "127.0.0.1" } });
  expect(known.via).toBeUndefined();
});

haproxy("health checks of both versions succeed, are counted as closed, and warn of nothing", async () => {
  const { program, adminPort } = stage;
  const before = program.lines.length;
  const closed = () => program.lines.slice(before).filter(({ msg }) => msg === "connection closed");
  await eventually(() => closed().length > 20);
  await expect.poll(() => statuses(stage.dir)).toBe("UP UP UP UP UP no check UP");
  expect([...new Set(closed().map(({ counted }) => counted))]).toEqual(["closed"]);
  expect(program.lines.filter(({ level }) => level === "warn" || level === "error")).toEqual([]);
  const { body } = await http(adminPort, "/metrics/now");
  expect(body).toMatch(/reason="closed"[^\n]* [1-9]/);
  expect(body).not.toMatch(/reason="(proxy_\w+|reset|handshake_timeout)"[^\n]* [1-9]/);
});

haproxy("the tree and the list of connections have both ends", async () => {
  const client = await Client.connect(stage.ports.v2);
  const own = client.socket.localPort;
  client.write("hello\n");
  await until(() => client.received > 0);
  const { body } = await http(stage.adminPort, `/connections?peer=127.0.0.1:${own}`);
  expect(JSON.parse(body).rows).toMatchObject([
    { peer: `127.0.0.1:${own}`, via: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
  ]);
  const tree = await http(stage.adminPort, "/tree");
  expect(tree.body).toContain(`127.0.0.1:${own} via 127.0.0.1:`);
  await client.close();
});

haproxy("from another address it is refused: closed unread, counted, and one line says why", async () => {
  const client = await Client.connect(stage.ports.other);
  await client.end();
  const { program, adminPort } = stage;
  const line = await program.line(({ level }) => level === "warn");
  expect(line).toMatchObject({
    counted: "proxy_untrusted",
    listener: "main",
    peer: expect.stringContaining("127.0.0.2:"),
  });
  expect(line.msg).toMatch(
    /^connection from 127\.0\.0\.2:\d+ to listener main closed: not a trusted proxy: /,
  );
  await eventually(async () =>
    /reason="proxy_untrusted"[^\n]* 1/.test((await http(adminPort, "/metrics")).body),
  );
});
