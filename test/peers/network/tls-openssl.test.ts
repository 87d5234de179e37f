/** TLS with a real `openssl s_client`: versions, names, ALPN, client certificates, resumption, reload under load. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect } from "vitest";
import {
  type CertificateName,
  certificateFile,
  certificateFiles,
  certificatePem,
} from "../../support/certificates/certificates.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const openssl = testWith("openssl", "apt-get install openssl");

const folder = mkdtempSync(join(tmpdir(), "drover-openssl-"));
const path = (name: string) => join(folder, name);
let program: Program;
/** Of the listeners `front`, with several certificates, and `devices`, with client certificates. */
let front: number;
let devices: number;
let control: string;

function put(name: CertificateName, which: readonly ("cert" | "key")[] = ["cert", "key"]): void {
  for (const one of which) copyFileSync(certificateFiles(name)[one], path(one));
}

const ticketKeys = (...keys: number[]) =>
  writeFileSync(path("tickets"), Buffer.concat(keys.map((key) => Buffer.alloc(48, key))));

/** Answers each line with its name and the line. */
const protocol = (name: string) => `
import { defineProtocol, lines } from "drover";
export default defineProtocol({
  name: "${name}",
  framing: lines(),
  data: () => ({}),
  states: { ready: { frame: (conn, line) => {
    const { tls } = conn;
    conn.send("${name} " + line + " " + (tls?.client?.commonName ?? "-") + " " + (tls?.resumed ? "resumed" : "new"));
  } } },
});
`;

beforeAll(async () => {
  put("server");
  ticketKeys(1);
  copyFileSync(certificateFile("ca.crt"), path("ca"));
  front = await freePort();
  devices = await freePort();
  const pair = { cert: path("cert"), key: path("key") };
  const crl = certificateFile("crl.pem");
  const listeners = [
    {
      ...{ name: "front", host: "127.0.0.1", port: front, protocol: "./plain.ts" },
      alpn: { "one/1": "./one.ts", "two/1": "./two.ts" },
      tls: { ...pair, more: [certificateFiles("b.example"), certificateFiles("wildcard.example")] },
    },
    {
      ...{ name: "devices", host: "127.0.0.1", port: devices, protocol: "./plain.ts" },
      tls: { ...pair, ca: path("ca"), crl, ticketKeys: path("tickets") },
    },
  ];
  const config = { workers: 2, adminPort: await freePort(), logFormat: "json", listeners };
  const files = {
    "acme.json": JSON.stringify(config),
    ...Object.fromEntries(["plain", "one", "two"].map((name) => [`${name}.ts`, protocol(name)])),
  };
  program = new Program(["start", "--config=acme.json"], { files });
  control = join(program.dir, `drover-${process.getuid?.()}`, "drover.sock");
  await program.line((line) => / serves /.test(line.msg ?? ""));
});

afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Says "hi" through `openssl s_client`; resolves with all that it printed when the answer is there, or it has ended. */
function visit(port: number, ...args: string[]): Promise<string> {
  const child = spawn(find("openssl") as string, [
    ...["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", certificateFile("ca.crt")],
    ...args,
  ]);
  let text = "";
  child.stdin.on("error", () => {});
  child.stdin.write("hi\n");
  const said = (chunk: Buffer) => {
    text += chunk;
    // The tickets of TLS 1.3 come before the answer, and are saved when they are read.
    if (ANSWER.test(text)) child.stdin.end();
  };
  child.stdout.on("data", said);
  child.stderr.on("data", said);
  return new Promise((resolve) => {
    const stuck = setTimeout(() => {
      text += "still connected after 40 s";
      child.kill();
    }, 40_000);
    child.once("close", () => {
      clearTimeout(stuck);
      resolve(text);
    });
  });
}

/** It may follow what `s_client` prints about a ticket, on the same line. */
const ANSWER = /(plain|one|two) hi \S+ (new|resumed)/;
const answer = (text: string) => ANSWER.exec(text)?.[0] ?? "no answer";
const subject = (text: string) => /^subject=.*CN = ([^,\n]+)/m.exec(text)?.[1];
const as = (name: CertificateName) => {
  const { cert, key } = certificateFiles(name);
  return ["-cert", cert, "-key", key];
};

async function reload(): Promise<void> {
  const { code, stderr } = await run(["reload-tls"], { env: { DROVER_CONTROL: control } });
  expect([code, stderr]).toEqual([0, ""]);
}

openssl("speaks TLS 1.2 and 1.3, and refuses 1.1 by an alert", async () => {
  for (const version of ["1_2", "1_3"])
    expect(await visit(front, `-tls${version}`)).toContain(`TLSv${version.replace("_", ".")}`);
  const old = await visit(front, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0");
  expect(answer(old)).toBe("no answer");
  expect(old).toMatch(/alert protocol version|alert number 70/);
});

openssl("serves the certificate of the name: exact, wildcard, the first one for others", async () => {
  const named = async (name: string) => subject(await visit(front, "-servername", name));
  expect(await named("b.example")).toBe("b.example");
  expect(await named("x.c.example")).toBe("*.c.example");
  expect(await named("unknown.example")).toBe("localhost");
  expect(subject(await visit(front, "-noservername"))).toBe("localhost");
});

openssl(
  "gives each protocol name its protocol, clients without one the listener's, and refuses others",
  async () => {
    const speaking = (...args: string[]) => visit(front, ...args).then(answer);
    expect(await speaking("-alpn", "one/1")).toBe("one hi - new");
    expect(await speaking("-alpn", "h2,two/1")).toBe("two hi - new");
    expect(await speaking()).toBe("plain hi - new");
    expect(await visit(front, "-alpn", "h2")).toMatch(/alert number 120|no application protocol/);
  },
);

openssl("lets in who has a certificate of the authority, and nobody else", async () => {
  expect(answer(await visit(devices, ...as("client")))).toBe("plain hi device-1 new");
  for (const version of ["-tls1_2", "-tls1_3"])
    for (const args of [[], as("client-rogue"), as("client-expired"), as("client-revoked")])
      expect(await visit(devices, version, ...args), `${version} ${args[1]}`).not.toMatch(
        /plain hi|still connected/,
      );
  const reasons = program.lines.filter(({ msg }) => /certificate/.test(msg ?? "")).map(({ msg }) => msg);
  expect(reasons.join("\n")).not.toContain("BEGIN");
});

openssl(
  "resumes on every worker and over two changes of the keys, and not after another authority",
  async () => {
    for (const version of ["-tls1_2", "-tls1_3"]) {
      ticketKeys(1);
      copyFileSync(certificateFile("ca.crt"), path("ca"));
      await reload();
      const session = path(`session${version}`);
      const again = async (...args: string[]) =>
        answer(await visit(devices, version, ...as("client"), "-sess_in", session, ...args));
      await visit(devices, version, ...as("client"), "-sess_out", session);
      for (let n = 0; n < 6; n++) expect(await again(), version).toBe("plain hi device-1 resumed");
      ticketKeys(2, 1);
      await reload();
      // The client is given a ticket of the new key.
      expect(await again("-sess_out", session), version).toBe("plain hi device-1 resumed");
      // Of a resumed session of TLS 1.2, s_client does not save the new ticket.
      ticketKeys(...(version === "-tls1_2" ? [3, 2, 1] : [3, 2]));
      await reload();
      expect(await again(), version).toBe("plain hi device-1 resumed");
      copyFileSync(certificateFile("rogue-ca.crt"), path("ca"));
      await reload();
      expect(await again(), version).toBe("no answer");
    }
  },
);

/** Handshakes at once: a machine that is too slow for 100 a second would otherwise be late for all of them. */
const MAX_OPEN = 50;

/** Connects 100 times a second until it is stopped, every other time with the latest session. */
function load(port: number) {
  const [seen, failures] = [new Set<string>(), [] as string[]];
  const open = new Set<Promise<void>>();
  let [begun, resumed] = [0, 0];
  let latest: Buffer | undefined;
  const once = () =>
    new Promise<void>((resolve) => {
      const ca = certificatePem("ca").cert;
      const session = begun++ % 2 === 0 ? undefined : latest;
      const socket = connect({ host: "127.0.0.1", port, servername: "localhost", ca, session });
      socket.setTimeout(40_000, () => socket.destroy(new Error("no answer")));
      socket.on("session", (next) => {
        latest = next;
      });
      socket.once("secureConnect", () => socket.write("hi\n"));
      socket.once("data", () => {
        // A resumed session has the certificate of its first handshake.
        if (socket.isSessionReused()) resumed++;
        else seen.add(socket.getPeerCertificate().serialNumber);
        socket.end();
      });
      socket.once("error", (error) => failures.push(error.message));
      socket.once("close", () => resolve());
    });
  const timer = setInterval(() => {
    if (open.size >= MAX_OPEN) return;
    const one = once().finally(() => open.delete(one));
    open.add(one);
  }, 10);
  let stopped = false;
  return {
    seen,
    failures,
    get resumed() {
      return resumed;
    },
    async stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

openssl(
  "20 reloads under 100 handshakes a second, half of them resumed, and two files written 500 ms apart: none fails",
  async () => {
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const under = load(front);
    try {
      // More where the machine is too slow to serve both certificates within the 20.
      for (let n = 0; n < 20 || under.seen.size < 2; n++) {
        put(n % 2 === 0 ? "server-renewed" : "server");
        program.signal("SIGHUP");
        await pause(100);
      }
      expect(under.seen.size).toBe(2);
      put("server-rsa", ["cert"]);
      await pause(500);
      put("server-rsa", ["key"]);
      await eventually(() => under.seen.size === 3);
    } finally {
      await under.stop();
    }
    expect(under.failures).toEqual([]);
    expect(under.resumed).toBeGreaterThan(0);
    put("server");
    await reload();
  },
);
