/** The files of scripts/deploy, checked by the tools that use them and against the running program. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { http } from "../../support/admin-http.js";
import { FrameClient } from "../../support/frames.js";
import { serveLogging } from "../../support/logging.js";
import { isAlive } from "../../support/os-processes.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, MAIN, ROOT, run, serveProgram } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const DEPLOY = join(ROOT, "scripts", "deploy");
const promtool = testWith("promtool", "apt-get install prometheus");
const analyze = testWith("systemd-analyze", "apt-get install systemd");
const activate = testWith("systemd-socket-activate", "apt-get install systemd");
const logrotate = testWith("logrotate", "apt-get install logrotate");
const kubectl = testWith("kubectl", "apt-get install kubernetes-client");
const folders: string[] = [];

afterEach(async () => {
  await endAll();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const read = (...path: string[]) => readFileSync(join(DEPLOY, ...path), "utf8");

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "drover-deploy-"));
  folders.push(made);
  return made;
}

/** Runs a tool; `said` is its output, for the failure message. */
function tool(name: string, args: readonly string[], input?: string) {
  const { status, stdout, stderr } = spawnSync(find(name) as string, args, { input, encoding: "utf8" });
  return { status, stdout, said: `${stdout}${stderr}` };
}

// -- Prometheus and Grafana ---------------------------------------------------------------------------------

promtool("the scrape configuration and the rules are valid, and the alerts fire when they should", () => {
  for (const args of [
    ["check", "config", join(DEPLOY, "prometheus.yml")],
    ["check", "rules", join(DEPLOY, "alerts.yml")],
    ["test", "rules", join(DEPLOY, "alerts.test.yml")],
  ]) {
    const { status, said } = tool("promtool", args);
    expect(status, said).toBe(0);
    expect(said).not.toMatch(/FAILED|lint/i);
  }
});

test("every alert says in its description what to do, and is tested", () => {
  const alerts = read("alerts.yml")
    .split(/^ {6}- alert: /m)
    .slice(1);
  expect(alerts.length).toBeGreaterThan(10);
  for (const alert of alerts) {
    const name = alert.split("\n")[0] as string;
    expect(alert, name).toMatch(/severity: (page|warn)/);
    expect(alert, name).toMatch(/summary: ".*\{\{/);
    expect(alert, name).toMatch(/description: >-\n(\s{12}\S.*\n)+/);
    expect(read("alerts.test.yml"), name).toContain(name);
  }
});

test("commands that the alerts name are commands that there are", async () => {
  const { stdout: help } = await run(["--help"]);
  const named = [...read("alerts.yml").matchAll(/(?:`|: )drover (\w+)/g)].map(([, command]) => command);
  expect(named).toContain("info");
  for (const command of named) expect(help).toMatch(new RegExp(`^ +${command}\\b`, "m"));
});

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

function dashboard(): { readonly panels: readonly Panel[]; readonly expressions: readonly string[] } {
  const { panels, annotations } = JSON.parse(read("grafana.json"));
  const expressions = [
    ...panels.flatMap(({ targets = [] }: Panel) => targets.map(({ expr }) => expr)),
    ...annotations.list.map(({ expr }: { expr: string }) => expr),
  ];
  return { panels, expressions };
}

test("the dashboard has a chart for everything an operator asks first", () => {
  const { panels } = dashboard();
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const titles = panels.map(({ title }) => title.toLowerCase()).join("\n");
  for (const word of [
    "connections",
    "refused",
    "frames",
    "bytes",
    "lag",
    "memory",
    "restarts",
    "budget",
    "reports",
  ])
    expect(titles).toContain(word);
  for (const { type, title, targets = [] } of panels)
    if (type !== "row") expect(targets.length, title).toBeGreaterThan(0);
});

test("no panel of the dashboard and no alert mixes the numbers of two servers", () => {
  const aggregations = (text: string) =>
    [...text.matchAll(/\b(?:sum|min|max|avg|count|topk|quantile)\b\s*(?:by \(([^)]*)\))?\s*\(/g)].map(
      ([found, by = ""]) => ({ found, by: by.split(/, */) }),
    );
  const all = aggregations([...dashboard().expressions, read("alerts.yml")].join("\n"));
  expect(all.length).toBeGreaterThan(40);
  for (const { found, by } of all) expect(by, found).toContain("instance");
  for (const { title, targets = [] } of dashboard().panels)
    for (const { legendFormat } of targets) expect(legendFormat, title).toContain("{{instance}}");
});

promtool("every expression of the dashboard is PromQL", () => {
  // Grafana replaces its variables by such values.
  const rules = dashboard().expressions.map((expr, at) => ({
    record: `panel:${at}`,
    expr: expr
      .replaceAll("$__rate_interval", "1m")
      .replaceAll("$job", "drover")
      .replaceAll("$instance", ".+"),
  }));
  const file = join(folder(), "dashboard.yml");
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }));
  const { status, said } = tool("promtool", ["check", "rules", file]);
  expect(status, said).toBe(0);
});

test("every metric and label that alerts and dashboard name is in the /metrics of the program", async () => {
  // A protocol that takes messages of groups has the metrics of the exchange, too.
  const { adminPort } = await serveProgram(["chat"]);
  // Workers and the exchange send theirs once a second.
  const body = await eventually(async () => {
    const text = (await http(adminPort, "/metrics")).body;
    return (
      [/^drover_connections_active\{/m, /^drover_exchange_up 1$/m].every((one) => one.test(text)) && text
    );
  });
  const known = new Set([...body.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name as string));
  const alerts = read("alerts.yml").replace(/annotations:[\s\S]*?(?=- alert|$)/g, "");
  const texts = [...dashboard().expressions, alerts];
  const named = texts.flatMap((text) => text.match(/\b(drover|process|nodejs)_\w+/g) ?? []);
  expect(named.length).toBeGreaterThan(30);
  for (const name of named) expect(known).toContain(name);
  // Prometheus itself adds these two labels.
  const labels = new Set([
    "job",
    "instance",
    ...[...body.matchAll(/[{,](\w+)="/g)].map(([, label]) => label),
  ]);
  for (const [, list] of texts.join("\n").matchAll(/\bby \(([^)]*)\)/g))
    for (const label of (list as string).split(/, */)) expect(labels).toContain(label);
});

// -- systemd ------------------------------------------------------------------------------------------------

/** The units with the paths of this build. */
function units(): string {
  const dir = folder();
  const service = read("drover.service").replace(
    "/usr/bin/node /opt/drover/dist/main.js",
    `${process.execPath} ${MAIN}`,
  );
  writeFileSync(join(dir, "drover.service"), service);
  writeFileSync(join(dir, "drover.socket"), read("drover.socket"));
  return dir;
}

analyze("systemd has nothing to say against the units", () => {
  const dir = units();
  const { status, said } = tool("systemd-analyze", [
    "verify",
    join(dir, "drover.service"),
    join(dir, "drover.socket"),
  ]);
  expect(said).toBe("");
  expect(status).toBe(0);
});

analyze("systemd has nothing to say against the units of a starter project", async () => {
  const project = join(folder(), "my-chat");
  expect((await run(["new", project, "--systemd"])).code).toBe(0);
  const service = join(project, "my-chat.service");
  writeFileSync(service, readFileSync(service, "utf8").replace("/usr/bin/node", process.execPath));
  const { status, said } = tool("systemd-analyze", ["verify", service, join(project, "my-chat.socket")]);
  expect([status, said]).toEqual([0, ""]);
});

test("the unit does not start again what would only fail again, and leaves a killed worker to the primary", () => {
  const service = read("drover.service");
  expect(service).toMatch(/^RestartPreventExitStatus=64 66 78$/m);
  expect(service).toMatch(/^KillMode=mixed$/m);
  expect(service).toMatch(/^OOMPolicy=continue$/m);
  // The messages come from systemd-notify, which is not the main process.
  expect(service).toMatch(/^Type=notify\nNotifyAccess=all$/m);
});

activate("started by the first client on a socket of systemd's, it serves that client", async () => {
  const port = await freePort();
  const dir = folder();
  const command = [process.execPath, MAIN, "start", "--workers=2", "--admin-port=0"];
  const set = ["-E", `XDG_RUNTIME_DIR=${dir}`, "-E", `HOME=${dir}`];
  const unit: ChildProcess = spawn(
    find("systemd-socket-activate") as string,
    [...set, "-l", `127.0.0.1:${port}`, ...command],
    { cwd: dir, stdio: ["ignore", "ignore", "pipe"], env: { PATH: process.env.PATH } },
  );
  let said = "";
  unit.stderr?.on("data", (chunk) => {
    said += chunk;
  });
  const closed = new Promise<number | null>((resolve) => unit.once("close", resolve));
  try {
    await eventually(() => said.includes("Listening on"));
    const client = await FrameClient.connect(port);
    expect(await client.ask("hello")).toBe("hello");
    client.end();
    // systemd-socket-activate has become the program by exec: one SIGTERM stops it gracefully.
    unit.kill("SIGTERM");
    expect(await closed).toBe(0);
  } finally {
    if (isAlive(unit.pid as number)) unit.kill("SIGKILL");
    await closed;
  }
});

// -- the log file -------------------------------------------------------------------------------------------

logrotate("logrotate has nothing to say against its configuration", () => {
  const file = join(folder(), "drover");
  writeFileSync(file, read("logrotate"));
  // logrotate refuses a file that others can write.
  chmodSync(file, 0o644);
  const { status, said } = tool("logrotate", ["--debug", "--state", join(folder(), "state"), file]);
  expect(status, said).toBe(0);
  expect(said).toContain("/var/log/drover/*.log");
  expect(said).not.toMatch(/error|unknown option|bad /i);
});

logrotate("logrotate gives the running program a new file, and no line is lost", async () => {
  const dir = folder();
  const log = join(dir, "drover.log");
  const { program, port } = await serveLogging(log, "--log-level=debug");
  const rotation = join(folder(), "drover");
  writeFileSync(
    rotation,
    read("logrotate")
      .replaceAll("/var/log/drover", dir)
      .replace(/systemctl kill .*/, `kill -USR2 ${program.osPid}`),
  );
  chmodSync(rotation, 0o644);
  const talk = async (text: string) => {
    const client = await FrameClient.connect(port);
    expect(await client.ask(text)).toBe(text);
    client.end();
    await client.closed;
  };
  await talk("before");
  const { status, said } = tool("logrotate", ["--force", "--state", join(folder(), "state"), rotation]);
  expect(status, said).toBe(0);
  await eventually(() => readdirSync(dir).includes("drover.log"));
  await talk("after");
  const text = () => readdirSync(dir).map((name) => readFileSync(join(dir, name), "utf8"));
  await eventually(
    () =>
      text()
        .join("")
        .match(/connection closed/g)?.length === 2,
  );
  expect(readdirSync(dir).sort()).toEqual(["drover.log", "drover.log.1"]);
});

// -- Kubernetes ---------------------------------------------------------------------------------------------

const MANIFESTS = join(DEPLOY, "kubernetes");

/** A manifest as it is written, as JSON. */
function manifest(name: string): any {
  const args = ["patch", "--local", "-f", join(MANIFESTS, name), "--type=merge", "-p", "{}", "-o", "json"];
  const { status, stdout, said } = tool("kubectl", args);
  expect(status, said).toBe(0);
  return JSON.parse(stdout);
}

/** A manifest decoded with the types of kubectl, which drops unknown fields. */
function typed(name: string, ...change: string[]): any {
  const [verb, what, ...rest] = change as [string, string, ...string[]];
  const { status, stdout, said } = tool("kubectl", [
    verb,
    what,
    "--local",
    "-f",
    join(MANIFESTS, name),
    ...rest,
    "-o",
    "json",
  ]);
  expect(status, said).toBe(0);
  return JSON.parse(stdout);
}

kubectl("the manifests have no field that Kubernetes does not know, and every value has its type", () => {
  // kubectl prints nothing without a change.
  const deployment = manifest("deployment.yaml");
  deployment.spec.template.spec.containers[0].image = "checked";
  expect(typed("deployment.yaml", "set", "image", "drover=checked")).toMatchObject(deployment);
  const service = manifest("service.yaml");
  service.spec.selector = { checked: "yes" };
  expect(typed("service.yaml", "set", "selector", "checked=yes")).toMatchObject(service);
});

kubectl("kustomize puts all of them together, and they mean the same pods", () => {
  const { status, said } = tool("kubectl", ["kustomize", MANIFESTS]);
  expect(status, said).toBe(0);
  const { template, selector } = manifest("deployment.yaml").spec;
  const budget = manifest("disruption-budget.yaml");
  const monitor = manifest("podmonitor.yaml");
  for (const { matchLabels } of [selector, budget.spec.selector, monitor.spec.selector])
    expect(template.metadata.labels).toMatchObject(matchLabels);
  expect(template.metadata.labels).toMatchObject(manifest("service.yaml").spec.selector);
  const files = readdirSync(MANIFESTS).filter((name) => !/^(kustomization|podmonitor)/.test(name));
  for (const name of files) expect(read("kubernetes", "kustomization.yaml")).toContain(name);
});

kubectl("the times fit: a pod that stops may accept, drain and say goodbye before it is killed", () => {
  const { terminationGracePeriodSeconds: grace, containers } = manifest("deployment.yaml").spec.template.spec;
  const [, pause] = /sleep (\d+); drover drain/.exec(containers[0].lifecycle.preStop.exec.command[2]) ?? [];
  const [DRAIN, SHUTDOWN, WORKER] = [25, 2, 2];
  expect(grace).toBeGreaterThan(Number(pause) + DRAIN + SHUTDOWN + WORKER);
  // Longer than the removal of an unready pod from the Service.
  const { periodSeconds, failureThreshold } = containers[0].readinessProbe;
  expect(Number(pause)).toBeGreaterThan(periodSeconds * failureThreshold);
});

kubectl(
  "started with the environment of the pod, it answers the probes from outside, and the rest to the token",
  async () => {
    const [container] = manifest("deployment.yaml").spec.template.spec.containers;
    const dir = folder();
    const token = "0123456789abcdef0123456789abcdef";
    const env: Record<string, string> = {};
    for (const { name, value } of container.env) env[name] = value ?? token;
    env.DROVER_CONTROL = (env.DROVER_CONTROL as string).replace("/run/drover", dir);
    const { adminPort } = await serveProgram([`--workers=${env.DROVER_WORKERS}`], { env });
    for (const probe of [container.livenessProbe, container.readinessProbe])
      expect((await http(adminPort, probe.httpGet.path)).status).toBe(200);
    const { annotations } = manifest("deployment.yaml").spec.template.metadata;
    expect((await http(adminPort, annotations["prometheus.io/path"])).status).toBe(200);
    expect((await http(adminPort, "/tree")).status).toBe(401);
    // The command of preStop, in the environment of the pod.
    const { code, stderr } = await run(["drain"], { env });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect((await http(adminPort, container.readinessProbe.httpGet.path)).status).toBe(503);
  },
);
