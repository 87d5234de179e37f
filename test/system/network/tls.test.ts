/** TLS of the built program: tickets over all workers, reload of certificates, and where no secret is to be read. */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type SecureVersion } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, post } from "../../admin/support.js";
import { metricNow } from "../../support/admin-http.js";
import {
  type CertificateName,
  certificateFiles,
  certificatePem,
} from "../../support/certificates/certificates.js";
import { isAlive } from "../../support/os-processes.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program, run, serveProgram } from "../../support/program.js";
import { testOnce } from "../../support/test-once.js";
import { eventually } from "../../support/until.js";

const ca = certificatePem("ca").cert;

/** As Kubernetes mounts a secret: `tls.crt` is a link through `..data`, and a new version swaps that link. */
const folder = mkdtempSync(join(tmpdir(), "drover-system-tls-"));
let versions = 0;

function mount(name: CertificateName): void {
  const version = `..${++versions}`;
  mkdirSync(join(folder, version));
  copyFileSync(certificateFiles(name).cert, join(folder, version, "tls.crt"));
  copyFileSync(certificateFiles(name).key, join(folder, version, "tls.key"));
  // In a clone the keys of the tests are readable for all, which is warned about.
  chmodSync(join(folder, version, "tls.key"), 0o600);
  symlinkSync(version, join(folder, "..new"));
  renameSync(join(folder, "..new"), join(folder, "..data"));
}

let served: Awaited<ReturnType<typeof serveProgram>>;

beforeAll(async () => {
  mount("server");
  for (const file of ["tls.crt", "tls.key"]) symlinkSync(`..data/${file}`, join(folder, file));
  served = await serveProgram([
    ...[`--tls-cert=${join(folder, "tls.crt")}`, `--tls-key=${join(folder, "tls.key")}`],
    ...["--log-level=trace", "--max-restarts=20"],
  ]);
});

afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true, force: true });
});

interface Visit {
  readonly resumed: boolean;
  /** Serial number of the server's certificate; of the first one where the session was resumed. */
  readonly serial: string | undefined;
  readonly session: Buffer;
}

/** One connection, with one frame there and back. */
function visit(session?: Buffer, version?: SecureVersion, port = served.port): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ port, host: "127.0.0.1", servername: "localhost", ca, session },
      ...(version && { minVersion: version, maxVersion: version }),
    });
    let latest = session as Buffer;
    socket.on("session", (next) => {
      latest = next;
    });
    socket.once("error", reject);
    socket.once("secureConnect", () => socket.write(Buffer.from("\x00\x02hi", "latin1")));
    socket.once("data", () => {
      const { serialNumber: serial } = socket.getPeerCertificate();
      resolve({ resumed: socket.isSessionReused(), serial, session: latest });
      socket.destroy();
    });
  });
}

function metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
  return metricNow(served.adminPort, name, labels);
}

test.each(["TLSv1.2", "TLSv1.3"] as const)(
  "%s: every worker resumes what another has begun",
  async (version) => {
    const { session } = await visit(undefined, version);
    const visits = await Promise.all(Array.from({ length: 20 }, () => visit(session, version)));
    expect(visits.filter(({ resumed }) => !resumed)).toEqual([]);
  },
);

/** Four clients at a time, until one is served another certificate. @returns that, and how many visits failed */
async function underLoad(change: () => void): Promise<{ renewed: string; failed: number; done: number }> {
  const { serial: before } = await visit();
  let [failed, done] = [0, 0];
  let serial = before;
  let running = true;
  const load = Array.from({ length: 4 }, async () => {
    while (running) {
      await visit().then(
        (one) => {
          done++;
          serial = one.serial;
        },
        () => failed++,
      );
    }
  });
  change();
  // Not `serial` at the end: a visit of the other worker that began before may end last.
  const renewed = await eventually(() => serial !== before && serial);
  running = false;
  await Promise.all(load);
  return { renewed, failed, done };
}

/** Kills a worker, which is replaced. */
function killWorker(): () => Promise<void> {
  const [victim] = served.program.workers() as [number];
  process.kill(victim, "SIGKILL");
  return async () => {
    await eventually(() => !isAlive(victim) && served.program.workers().length === 2);
    await eventually(async () => (await metric("drover_listener_running")) === 2);
  };
}

async function serials(): Promise<Set<string | undefined>> {
  const visits = await Promise.all(Array.from({ length: 20 }, () => visit()));
  return new Set(visits.map((one) => one.serial));
}

test("a version that is mounted over the old one is served, without a failed handshake", async () => {
  const { renewed, failed, done } = await underLoad(() => mount("server-renewed"));
  expect(failed).toBe(0);
  expect(done).toBeGreaterThan(4);
  // All workers have it, also one that starts now.
  const replaced = killWorker();
  await replaced();
  expect(await serials()).toEqual(new Set([renewed]));
});

test("a worker that is killed during a reload loses its own handshakes only, and its successor has the new version", async () => {
  let replaced = async () => {};
  const { renewed, failed } = await underLoad(() => {
    mount("server");
    replaced = killWorker();
  });
  // Each of the four clients may have been at the worker.
  expect(failed).toBeLessThanOrEqual(4);
  await replaced();
  expect(await serials()).toEqual(new Set([renewed]));
});

test("SIGHUP and reload-tls read the files again; what is wrong is said, and changes nothing", async () => {
  const { program, control } = served;
  const env = { DROVER_CONTROL: control };
  expect(await run(["reload-tls"], { env })).toMatchObject({ code: 0, stdout: "main  unchanged\n" });
  const { serial } = await visit();
  rmSync(join(folder, "tls.key"));
  const at = program.lines.length;
  program.signal("SIGHUP");
  const reason = `--tls-key: ${join(folder, "tls.key")}: no such file`;
  const said = `certificates of listener main not reloaded, the old ones stay: ${reason}`;
  await program.line(({ msg }) => msg === said, at);
  expect(await run(["reload-tls"], { env })).toMatchObject({
    code: 69,
    stderr: `listener main keeps its old certificates: ${reason}\n`,
  });
  expect((await visit()).serial).toBe(serial);
  symlinkSync("..data/tls.key", join(folder, "tls.key"));
});

test("metrics show the certificate and the handshakes", async () => {
  expect(
    await metric("drover_certificate_expiry_seconds", { listener: "main", name: "localhost" }),
  ).toBeGreaterThan(50 * 365 * 86_400);
  expect(await metric("drover_certificate_reloads_total", { result: "reloaded" })).toBe(2);
  // The worker that was killed has not reported its last second.
  const visits = await Promise.all(Array.from({ length: 5 }, () => visit()));
  expect((await visit(visits[0]?.session)).resumed).toBe(true);
  await eventually(async () => ((await metric("drover_handshakes_total", { result: "resumed" })) ?? 0) >= 1);
  await eventually(async () => ((await metric("drover_handshakes_total", { result: "full" })) ?? 0) > 4);
});

/** Expects that no line of a private key is in these texts. */
function noSecretIn(texts: readonly string[]): void {
  const secrets = (["server", "server-renewed"] as const).flatMap((name) =>
    certificatePem(name)
      .key.split("\n")
      .filter((line) => line.length > 20 && !line.startsWith("-----")),
  );
  expect(secrets.length).toBeGreaterThanOrEqual(4);
  for (const text of texts) for (const secret of secrets) expect(text).not.toContain(secret);
}

test("no line of a private key is in the log, an answer or the environment of a worker", async () => {
  const { program, adminPort, control } = served;
  const paths = ["/", "/config", "/info", "/tree", "/metrics", "/connections", "/stats", "/info/%3C1.1%3E"];
  const socket = { socketPath: control };
  const answers = await Promise.all([
    ...paths.map((path) => ask({ port: adminPort }, { path })),
    ...[1, 2, 3, 4].map((serial) => ask(socket, { path: `/state/${encodeURIComponent(`<1.${serial}>`)}` })),
    ...[1, 2, 3, 4].map((serial) => ask(socket, { path: `/info/${encodeURIComponent(`<2.${serial}>`)}` })),
    post(socket, "/reload-tls", {}),
  ]);
  const environments = program.workers().map((pid) => readFileSync(`/proc/${pid}/environ`, "utf8"));
  noSecretIn([...answers.map(({ text }) => text), program.stdout, program.stderr, ...environments]);
  expect(readdirSync(program.dir, { recursive: true }).join()).not.toMatch(/\.key/);
});

testOnce("info shows the certificate, and no command prints a line of a private key", async () => {
  const env = { DROVER_CONTROL: served.control };
  const commands = [["info"], ["config", "--verbose"], ["tree"], ["config", "--json"]];
  const printed = await Promise.all(commands.map((args) => run(args, { env })));
  expect(printed[0]?.stdout).toMatch(/^certificate +localhost, listener main, ends in \d+ days$/m);
  noSecretIn([JSON.stringify(printed)]);
});

const WITHOUT_TLS_WRAP = `
const { binding } = process;
process.binding = (name) => {
  if (name === "tls_wrap") throw new Error("no such binding");
  return binding.call(process, name);
};
`;

test.runIf(process.env.TRANSPORT === undefined)(
  "where handles cannot do TLS, a listener with TLS uses streams, a plain one handles, and the log says why",
  async () => {
    const port = await freePort();
    const listeners = [
      { name: "plain", protocol: "echo", host: "127.0.0.1", port: 0 },
      { name: "secure", protocol: "echo", host: "127.0.0.1", port, tls: certificateFiles("server") },
    ];
    const config = { workers: 1, adminPort: 0, logFormat: "json", listeners };
    const program = new Program(["start", "--config=acme.json"], {
      files: { "acme.json": JSON.stringify(config), "without.cjs": WITHOUT_TLS_WRAP },
      env: { NODE_OPTIONS: "--require=./without.cjs" },
    });
    await program.line(({ msg }) => / serves /.test(msg ?? ""));
    const said = program.lines.map(({ msg }) => msg).filter((msg) => /^transport /.test(msg ?? ""));
    expect(said).toEqual([
      expect.stringMatching(/^transport handle: .* \(plain\)$/),
      "transport stream: this Node does not have the binding of TLS that it needs (secure)",
    ]);
    expect((await visit(undefined, undefined, port)).resumed).toBe(false);
  },
);
