/** The built program and a real nats-server: credentials, TLS, permissions, sizes, a missing client, and other clients. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, headers, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { http, metric } from "../../support/admin-http.js";
import { AGENT_PROTOCOL, Agent } from "../../support/agent.js";
import { certificateFile, certificatePem } from "../../support/certificates/certificates.js";
import { natsCredentials } from "../../support/nats-credentials.js";
import { endNatsServers, NatsServer } from "../../support/nats-server.js";
import { find, testWith } from "../../support/peers.js";
import { endAll, MAIN, ROOT, run, serveProtocol } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const test = testWith("nats-server", "apt-get install nats-server");

const SECRET = "s3cret-s3cret";
/** Of requests of the NATS client, which gives up after a second by default. */
const WITHIN = { timeout: 20_000 };
const folder = mkdtempSync(join(tmpdir(), "drover-test-"));
const agents: Agent[] = [];
/** Of all cases, by name. */
const servers: Record<string, NatsServer> = {};

const TLS = () =>
  `tls { cert_file: "${certificateFile("server.crt")}", key_file: "${join(folder, "server.key")}" }`;
const USERS = `authorization { users = [
  { user: "all", password: "${SECRET}" },
  { user: "deaf", password: "${SECRET}", permissions: { publish: "drover.>", subscribe: "other.>" } },
  { user: "mute", password: "${SECRET}", permissions: { publish: "drover.test.node.>", subscribe: "drover.>" } },
  { user: "curt", password: "${SECRET}", permissions: { publish: "drover.test.>", subscribe: "drover.test.>" } },
  { user: "answers", password: "${SECRET}",
    permissions: { publish: "drover.test.>", subscribe: "drover.test.>", allow_responses: true } } ] }`;
const credentials = find("nats-server") ? natsCredentials() : { config: "", creds: "" };

beforeAll(async () => {
  if (!find("nats-server")) return;
  writeFileSync(join(folder, "server.key"), certificatePem("server").key, { mode: 0o600 });
  writeFileSync(join(folder, "user.creds"), credentials.creds, { mode: 0o600 });
  const cases = {
    ...{ plain: "", token: `authorization { token: "${SECRET}" }`, users: USERS },
    ...{ tls: TLS(), creds: credentials.config, small: "max_payload: 4096" },
  };
  await Promise.all(
    Object.entries(cases).map(async ([name, config]) => {
      servers[name] = await NatsServer.start({ config });
    }),
  );
});

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.end();
  await endAll();
});

afterAll(async () => {
  await endNatsServers();
  rmSync(folder, { recursive: true, force: true });
});

let started = 0;
let claimed = 0;

async function start(args: readonly string[], env: Record<string, string> = {}) {
  const cluster = args.some((one) => one.startsWith("--cluster")) ? [] : ["--cluster=test"];
  const served = await serveProtocol(
    "agent.ts",
    AGENT_PROTOCOL,
    ["--workers=1", `--node=n${++started}`, ...cluster, ...args],
    {
      env,
    },
  );
  const agent = await Agent.connect(served.port);
  agents.push(agent);
  const event = (name: string) => served.program.line((line) => line.event === name);
  return { ...served, agent, event };
}

/** The server does its work on this machine. */
async function serves(agent: Agent): Promise<void> {
  await agent.ask("join", "here");
  await agent.ask("say", "here", "still");
  await agent.hears("still");
  expect(await agent.ask("claim", [`own ${++claimed}`])).toEqual(["none"]);
}

const url = (name: string) => `--nats=${servers[name]?.url}`;

test("token, user and password, TLS, and a file with JWT and seed", async () => {
  const tls = `tls://localhost:${servers.tls?.port}`;
  const users = await Promise.all([
    start([url("token")], { DROVER_NATS_TOKEN: SECRET }),
    start([url("users")], { DROVER_NATS_USER: "all", DROVER_NATS_PASSWORD: SECRET }),
    start([`--nats=${tls}`, `--nats-ca=${certificateFile("ca.crt")}`]),
    start([url("creds"), `--nats-creds=${join(folder, "user.creds")}`]),
  ]);
  for (const { event, agent } of users) {
    await event("nats_up");
    await serves(agent);
  }
  const [{ program, adminPort }] = users;
  // The exchange tells the primary once a second.
  await eventually(async () => /^drover_nats_up 1$/m.test((await http(adminPort, "/metrics")).body));
  // Neither the log, nor the environment of what the primary has started.
  expect(program.stdout + program.stderr).not.toContain(SECRET);
  for (const osPid of program.workers())
    expect(readFileSync(`/proc/${osPid}/environ`, "latin1")).not.toContain(SECRET);
});

test("wrong credentials, an unknown authority, denied subjects: one clear error, and the server goes on", async () => {
  const [wrong, untrusted, deaf, mute, absent] = await Promise.all([
    start([url("token")], { DROVER_NATS_TOKEN: "wrong" }),
    start([`--nats=tls://localhost:${servers.tls?.port}`]),
    start([url("users")], { DROVER_NATS_USER: "deaf", DROVER_NATS_PASSWORD: SECRET }),
    start([url("users")], { DROVER_NATS_USER: "mute", DROVER_NATS_PASSWORD: SECRET }),
    start(["--nats=nats://127.0.0.1:9"]),
  ]);
  const texts = [
    [wrong, "nats_auth_rejected", /rejects the credentials \(Authorization Violation\): check --nats-creds/],
    [untrusted, "nats_tls", /certificate that is not trusted .* check --nats-ca/],
    [
      deaf,
      "nats_permission_denied",
      /denies to subscribe to drover\.test\..*: allow publish and subscribe on drover\.test\.>/,
    ],
    [mute, "nats_permission_denied", /denies to publish on drover\.test\.all: allow publish and subscribe/],
    [absent, "nats_unreachable", /127\.0\.0\.1:9 cannot be reached: connection refused/],
  ] as const;
  for (const [{ event, agent, program }, name, text] of texts) {
    const line = await event(name);
    expect(line.msg).toMatch(text);
    await serves(agent);
    expect(program.lines.filter((one) => one.event === name && one.msg === line.msg)).toHaveLength(1);
  }
  await expect
    .poll(async () => (await http(wrong.adminPort, "/metrics")).body)
    .toMatch(/^drover_nats_up 0$/m);
});

test("a NATS that takes 4 KiB: what is larger does not reach other servers, and is counted", async () => {
  const [one, other] = await Promise.all([start([url("small")]), start([url("small")])]);
  await other.agent.ask("join", "far");
  await one.agent.counts("far", 1);
  await one.agent.ask("say", "far", "x".repeat(5_000));
  await one.agent.ask("say", "far", "small");
  await other.agent.hears("small");
  expect(other.agent.heard).toEqual(["small"]);
  const dropped = async () =>
    await metric(one.adminPort, "drover_group_dropped_total", {
      reason: "too_large",
    });
  await eventually(async () => (await dropped()) === 1);
});

test("drover check names version, round trip, max_payload and what is missing", async () => {
  const check = (args: string[], env = {}) =>
    run(["check", "chat", "--port=0", "--admin-port=0", "--cluster=test", ...args], { env });
  const as = (user: string, ...args: string[]) =>
    check([url("users"), ...args], { DROVER_NATS_USER: user, DROVER_NATS_PASSWORD: SECRET });
  const [fine, denied, small] = await Promise.all([check([url("plain")]), as("mute"), check([url("small")])]);
  const [curt, quiet, answers] = await Promise.all([
    as("curt", "--outside=on"),
    as("curt"),
    as("answers", "--outside=on"),
  ]);
  expect(fine.stdout).toMatch(
    /nats:\/\/\S+: version \d+\.\d+\.\d+, round trip [\d.]+ ms, max_payload 1048576 bytes/,
  );
  expect([fine.code, denied.code, small.code]).toEqual([0, 78, 0]);
  expect(denied.stdout).toMatch(/denies to publish on drover\.test\.all/);
  expect(small.stdout).toMatch(/max_payload 4096 bytes.*raise max_payload, or lower --max-message/);
  expect(curt.stdout).toMatch(/denies answers to other NATS clients: set allow_responses for this user/);
  expect([curt.code, quiet.code, answers.code]).toEqual([78, 0, 0]);
});

test("a second server of one node name ends with 69 and says what to set, and the first goes on", async () => {
  const flags = ["--workers=1", "--cluster=twins", "--node=twin", url("plain")];
  const first = await serveProtocol("agent.ts", AGENT_PROTOCOL, flags);
  await first.program.line(({ event }) => event === "nats_up");
  const args = ["start", "./agent.ts", "--port=0", "--admin-port=0", "--log-format=json", ...flags];
  const { code, stdout, stderr } = await run(args, { files: { "agent.ts": AGENT_PROTOCOL } });
  expect([code, stdout + stderr]).toEqual([
    69,
    expect.stringMatching(/the cluster has a server named twin already, started \S+: set another --node/),
  ]);
  const agent = await Agent.connect(first.port);
  agents.push(agent);
  await serves(agent);
  expect(first.program.over).toBe(false);
});

/** The built program in a folder of its own, without the NATS client. */
function withoutClient(): string {
  const home = join(folder, "alone");
  mkdirSync(join(home, "node_modules"), { recursive: true });
  cpSync(join(ROOT, "dist"), join(home, "dist"), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(home, "package.json"));
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== "@nats-io") symlinkSync(join(ROOT, "node_modules", name), join(home, "node_modules", name));
  return join(home, "dist", "main.js");
}

test("a missing client ends the start with the line that installs it; one beside the protocol is found", async () => {
  const main = withoutClient();
  const { code, stderr } = await run(["start", "chat", "--port=0", "--admin-port=0", url("plain")], { main });
  expect([code, stderr]).toEqual([78, expect.stringContaining("npm install @nats-io/transport-node@3")]);
  const own = join(folder, "own", "node_modules");
  mkdirSync(own, { recursive: true });
  symlinkSync(join(ROOT, "node_modules", "@nats-io"), join(own, "@nats-io"));
  writeFileSync(join(own, "..", "agent.ts"), AGENT_PROTOCOL);
  const checked = await run(
    ["check", join(folder, "own", "agent.ts"), "--port=0", "--admin-port=0", url("plain")],
    { main },
  );
  expect(checked.stdout).toMatch(/version \d+\.\d+\.\d+, round trip/);
  expect(MAIN).not.toBe(main);
});

test("other NATS clients ask, send and publish where that is on, and get no responders where it is not", async () => {
  const [on, off] = await Promise.all([
    start([url("plain"), "--outside=on"]),
    start([url("plain"), "--cluster=closed"]),
  ]);
  const client: NatsConnection = await connect({ servers: servers.plain?.url as string });
  try {
    await Promise.all([on.event("nats_up"), off.event("nats_up")]);
    await on.agent.ask("claim", ["42", "a b*>"]);
    await on.agent.ask("join", "general");
    const asked = await client.request("drover.test.ask.device.42", '{"op":"read"}', WITHIN);
    expect(asked.json()).toEqual({ by: await on.agent.ask("who"), got: { op: "read" } });
    const named = headers();
    named.set("Drover-Name", "device/a b*>");
    const other = await client.request("drover.test.ask.device", "1", { ...WITHIN, headers: named });
    expect(other.json<{ got: unknown }>().got).toBe(1);
    const nobody = await client.request("drover.test.ask.device.43", "1", WITHIN);
    expect([nobody.headers?.get("Nats-Service-Error-Code"), nobody.data.length]).toEqual(["404", 0]);
    const large = await client.request("drover.test.ask.device.42", "x".repeat(70_000), WITHIN);
    expect(large.headers?.get("Nats-Service-Error-Code")).toBe("413");
    client.publish("drover.test.publish.room.general", "to all");
    await on.agent.hears("to all");
    await expect(client.request("drover.closed.ask.device.42", "1", WITHIN)).rejects.toThrow(/no responders/);
  } finally {
    await client.close();
  }
});
