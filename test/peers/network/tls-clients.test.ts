/** TLS with clients of others, on both transports: Python's and Erlang's ssl, and what testssl.sh looks for, by openssl. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { describe, expect, onTestFinished } from "vitest";
import { defineProtocol, packet } from "../../../src/index.js";
import { certificateFile, certificateFiles } from "../../support/certificates/certificates.js";
import { find, testWith } from "../../support/peers.js";
import { closedAs, serving } from "../../support/serving.js";
import { until } from "../../support/until.js";

const openssl = testWith("openssl", "apt-get install openssl");
const python = testWith("python3", "apt-get install python3");
const erl = testWith("erl", "apt-get install erlang-base erlang-ssl");

const ca = certificateFile("ca.crt");
const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

interface Ran {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far, on both outputs. */
  text(): string;
  readonly ended: Promise<string>;
}

function run(program: string, args: readonly string[]): Ran {
  const child = spawn(find(program) as string, args, {
    env: { ...process.env, ERL_CRASH_DUMP: "/dev/null" },
  });
  let text = "";
  for (const output of [child.stdout, child.stderr]) output.on("data", (chunk) => (text += chunk));
  child.stdin.on("error", () => {});
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = new Promise<string>((resolve) => child.once("close", () => resolve(text)));
  return { child, text: () => text, ended };
}

/** A handshake by `openssl s_client`, and its end. @returns all that it printed */
async function sClient(port: number, ...args: string[]): Promise<string> {
  const ran = run("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", ca, ...args]);
  const done = () => /Verify return code|SSL handshake has read|error:/.test(ran.text());
  await Promise.race([ran.ended, until(done)]);
  ran.child.stdin.end();
  return ran.ended;
}

const PYTHON = `
import socket, ssl, sys
port, ca, version = int(sys.argv[1]), sys.argv[2], getattr(ssl.TLSVersion, sys.argv[3])
context = ssl.create_default_context(cafile=ca)
context.minimum_version = context.maximum_version = version
raw = socket.create_connection(("127.0.0.1", port))
tls = context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)
def frame(body): return len(body).to_bytes(2, "big") + body
def read(n):
  got = b""
  while len(got) < n: got += tls.recv(n - len(got)) or sys.exit("ended early")
  return got
for byte in frame(b"one byte a record"): tls.send(bytes([byte]))
assert read(19) == frame(b"one byte a record")
for size in (0, 1, 16383, 16384, 16385, 65535):
  tls.sendall(frame(b"x" * size))
  assert read(size + 2) == frame(b"x" * size), size
tls.unwrap()
print(tls.version() if tls.version() else "closed", "both close_notify")
`;

describe.each(["handle", "stream"] as const)("TLS on %s", (transport) => {
  const start = (tls = {}) => serving(echo, { transport, tls: { ...certificateFiles("server"), ...tls } });

  for (const version of ["TLSv1_2", "TLSv1_3"])
    python(
      `Python's ssl, ${version}: frames of every size, records of one byte, close_notify both ways`,
      async () => {
        const server = await start();
        const said = await run("python3", ["-c", PYTHON, `${server.port}`, ca, version]).ended;
        expect(said).toContain("both close_notify");
        expect(await closedAs(server)).toEqual({ closed: 1 });
      },
    );

  for (const version of ["tlsv1.2", "tlsv1.3"])
    erl(`Erlang's ssl with {packet,2}, ${version}`, async () => {
      const server = await start();
      const said = await run("erl", [
        ...["-noshell", "-eval"],
        `ssl:start(), {ok, S} = ssl:connect("localhost", ${server.port}, [binary, inet, {packet, 2}, {active, false},
          {versions, ['${version}']}, {verify, verify_peer}, {cacertfile, "${ca}"}]),
        Wrong = [N || N <- [0, 1, 255, 16384, 65535], begin
          Data = binary:copy(<<"x">>, N), ok = ssl:send(S, Data), {ok, Data} =/= ssl:recv(S, 0, 30000) end],
        ok = ssl:shutdown(S, write), {error, closed} = ssl:recv(S, 0, 30000),
        io:format("wrong: ~p~n", [Wrong]), halt().`,
      ]).ended;
      expect(said).toContain("wrong: []");
      expect(await closedAs(server)).toEqual({ closed: 1 });
    });

  openssl("as testssl.sh: versions", async () => {
    const { port } = await start();
    const weak = ["-cipher", "ALL:@SECLEVEL=0"];
    const offers = (flag: string, ...more: string[]) => sClient(port, flag, ...more);
    expect(await offers("-tls1_3")).toContain("Verify return code: 0 (ok)");
    expect(await offers("-tls1_2")).toContain("Verify return code: 0 (ok)");
    for (const flag of ["-tls1", "-tls1_1"])
      expect(await offers(flag, ...weak)).toMatch(/alert protocol version/);
  });

  openssl("as testssl.sh: no renegotiation, no compression, secure renegotiation announced", async () => {
    const server = await start();
    const ran = run("openssl", [
      "s_client",
      "-connect",
      `127.0.0.1:${server.port}`,
      "-CAfile",
      ca,
      "-tls1_2",
    ]);
    await until(() => ran.text().includes("Verify return code"));
    expect(ran.text()).toMatch(/Compression: NONE/);
    expect(ran.text()).toMatch(/Secure Renegotiation IS supported/);
    ran.child.stdin.write("R\n");
    expect(await ran.ended).toMatch(/no renegotiation|handshake failure/);
    await until(() => server.counters.active === 0);
  });

  openssl(
    "as testssl.sh: no weak cipher suite, forward secrecy with TLS 1.2, and the server's order",
    async () => {
      const { port } = await start();
      const suites = ["NULL", "aNULL", "eNULL", "RC4", "3DES", "DES", "EXPORT", "MD5", "PSK", "SRP", "kRSA"];
      const answers = await Promise.all(
        suites.map((suite) => sClient(port, "-tls1_2", "-cipher", `${suite}:@SECLEVEL=0`)),
      );
      // "no cipher match": this openssl does not know it either.
      for (const answer of answers)
        expect(answer).toMatch(
          /alert handshake failure|no cipher match|no ciphers available|Cipher\s+(is|:) (\(NONE\)|0000)/,
        );
      const first = await sClient(
        port,
        "-tls1_2",
        "-cipher",
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256",
      );
      const second = await sClient(
        port,
        "-tls1_2",
        "-cipher",
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
      );
      const chosen = (text: string) => /Cipher is (\S+)/.exec(text)?.[1];
      expect(chosen(first)).toMatch(/^ECDHE/);
      expect(chosen(second)).toBe(chosen(first));
    },
  );

  openssl("a client that refuses our certificate is told apart by its alert", async () => {
    const server = await start();
    await sClient(server.port, "-CAfile", certificateFile("rogue-ca.crt"), "-verify_return_error");
    expect(await closedAs(server)).toEqual({ tls_error: 1 });
  });
});
