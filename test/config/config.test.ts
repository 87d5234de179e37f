import { availableParallelism, tmpdir } from "node:os";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  type Config,
  EXIT,
  environment,
  explain,
  type Key,
  OPTIONS,
  optionsTable,
  parseFlags,
  type Settings,
  usage,
  workerCount,
} from "../../src/config/config.js";
import type { Duration } from "../../src/otp/time/duration.js";
import { folderWith, load, refusal } from "./support.js";

const SIZES: [string, unknown][] = [
  ["1M", 2 ** 20],
  ["2G", 2 ** 31],
  ["64MiB", 2 ** 26],
  ["4096k", 2 ** 22],
];

const NETWORKS: [string, unknown][] = [
  ["10.0.0.0/8", ["10.0.0.0/8"]],
  ["unix,::1", ["unix", "::1"]],
  ["192.0.2.7", ["192.0.2.7"]],
  ["fd00::/8,127.0.0.0/8", ["fd00::/8", "127.0.0.0/8"]],
];

/** For every option four allowed values, written as text and as they arrive: flag, environment, file, protocol. */
const VALUES: Readonly<Record<Key, readonly [string, unknown][]>> = {
  name: texts("a", "b", "c", "d"),
  port: numbers(1, 2, 3, 4),
  host: texts("::1", "10.0.0.1", "localhost", "example.org"),
  path: texts("/a.sock", "/b.sock", "/c.sock", "/d.sock"),
  mode: [
    ["0600", 0o600],
    ["0660", 0o660],
    ["0666", 0o666],
    ["700", 0o700],
  ],
  owner: texts("root", "0", "acme", "www-data"),
  group: texts("root", "0", "acme", "www-data"),
  workers: numbers(1, 2, 3, 4),
  adminPort: numbers(11, 12, 13, 14),
  adminHost: texts("::1", "10.0.0.1", "localhost", "example.org"),
  adminTokenFile: texts("/a.token", "/b.token", "/c.token", "/d.token"),
  control: texts("/a.sock", "/b.sock", "/c.sock", "/d.sock"),
  maxRestarts: numbers(0, 1, 2, 3),
  maxSeconds: numbers(1, 2, 3, 4),
  maxConnections: numbers(1, 2, 3, 4),
  maxMemory: [
    ["96M", 96 * 2 ** 20],
    ["1G", 2 ** 30],
    ["512MiB", 2 ** 29],
    ["1048576k", 2 ** 30],
  ],
  maxLag: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["0", 0]),
  backlog: numbers(1, 2, 3, 4),
  maxMessage: numbers(1, 2, 3, 4),
  nats: [
    ["nats://n1:4222", ["nats://n1:4222"]],
    ["nats://n1,tls://[::1]:4223", ["nats://n1", "tls://[::1]:4223"]],
    ["tls://nats.example.org", ["tls://nats.example.org"]],
    ["nats://10.0.0.1:80/", ["nats://10.0.0.1:80/"]],
  ],
  natsCreds: texts("/a.creds", "/b.creds", "/c.creds", "/d.creds"),
  natsCa: texts("/a.pem", "/b.pem", "/c.pem", "/d.pem"),
  natsCert: texts("/a.crt", "/b.crt", "/c.crt", "/d.crt"),
  natsKey: texts("/a.key", "/b.key", "/c.key", "/d.key"),
  cluster: texts("a", "b", "c", "d"),
  node: texts("gw1", "gw2.example.org", "c", "d"),
  nodeTimeout: durations(["2s", 2000], ["3000ms", 3000], ["3m", 180_000], ["1h", 3_600_000]),
  takeOver: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["1h", 3_600_000]),
  outside: texts("on", "off", "on", "off"),
  idleTimeout: durations(["1ms", 1], ["2s", 2000], ["3m", 180_000], ["1h", 3_600_000]),
  shutdown: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["1h", 3_600_000]),
  firstFrame: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["1h", 3_600_000]),
  lifetime: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["24h", 86_400_000]),
  framesPerSecond: numbers(1, 2, 3, 4),
  bytesPerSecond: SIZES,
  workerOutbound: SIZES,
  workerInbound: SIZES,
  watchdog: durations(["2s", 2000], ["3000ms", 3000], ["3m", 180_000], ["0", 0]),
  lagWarning: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["1h", 3_600_000]),
  handlerLatency: texts("on", "off", "on", "off"),
  transport: texts("auto", "handle", "stream", "handle"),
  tlsCert: texts("/a.crt", "/b.crt", "/c.crt", "/d.crt"),
  tlsKey: texts("/a.key", "/b.key", "/c.key", "/d.key"),
  tlsPassphraseFile: texts("/a.pass", "/b.pass", "/c.pass", "/d.pass"),
  tlsClientCa: texts("/a.pem", "/b.pem", "/c.pem", "/d.pem"),
  tlsClientCrl: texts("/a.crl", "/b.crl", "/c.crl", "/d.crl"),
  tlsClientCerts: texts("none", "optional", "required", "optional"),
  tlsStart: texts("by_protocol", "at_once", "by_protocol", "at_once"),
  tlsMinVersion: texts("TLSv1.3", "TLSv1.2", "TLSv1.3", "TLSv1.2"),
  tlsTicketKeys: texts("/a.keys", "/b.keys", "/c.keys", "/d.keys"),
  inspect: numbers(0, 1, 2, 9229),
  allow: NETWORKS,
  deny: NETWORKS,
  maxPerAddress: numbers(1, 2, 3, 4),
  whenFull: texts("queue", "refuse", "shed", "queue"),
  acceptRate: texts("1", "2.5", "10:50", "100"),
  addressRate: texts("1", "2.5", "10:50", "100"),
  addressBan: durations(["1ms", 1], ["1.5s", 1500], ["3m", 180_000], ["1h", 3_600_000]),
  exceptionBan: durations(["1ms", 1], ["1.5s", 1500], ["10m", 600_000], ["1h", 3_600_000]),
  proxyFrom: [
    ["10.0.0.0/8", ["10.0.0.0/8"]],
    ["unix,::1", ["unix", "::1"]],
    ["192.0.2.7", ["192.0.2.7"]],
    ["fd00::/8", ["fd00::/8"]],
  ],
  logLevel: texts("trace", "debug", "warn", "silent"),
  logFile: texts("/a.log", "/b.log", "/c.log", "/d.log"),
  logFormat: texts("pretty", "json", "pretty", "json"),
  config: [],
};

function texts(...all: string[]): [string, unknown][] {
  return all.map((text) => [text, text]);
}

function numbers(...all: number[]): [string, unknown][] {
  return all.map((number) => [String(number), number]);
}

function durations(...all: [string, number][]): [string, unknown][] {
  return all;
}

describe("precedence", () => {
  const settable = OPTIONS.filter(({ key }) => key !== "config");

  it.each(settable)(
    "$key: flag beats environment beats file beats protocol beats default",
    async (option) => {
      const { key, flag, env, bare } = option;
      const [byFlag, byEnv, byFile, byProtocol] = VALUES[key] as [string, unknown][];
      // In a file and in a protocol numbers are numbers; a duration may be text anywhere.
      const typed = ([text, value]: [string, unknown]) =>
        ["idleTimeout", "shutdown", "lagWarning", "mode", "nodeTimeout", "takeOver"].includes(key)
          ? text
          : value;
      const companion = ["mode", "owner", "group"].includes(key) ? ["--path=/x.sock"] : [];
      const cwd = folderWith({ "drover.json": JSON.stringify({ [key]: typed(byFile!) }) });
      const all = {
        cwd,
        argv: [...companion, ...(bare ? [`${flag}=${byFlag![0]}`] : [flag, byFlag![0]])],
        env: { [env]: byEnv![0], DROVER_CONFIG: "drover.json" },
        // The options of TLS are refused without a certificate.
        protocolDefaults: {
          ...(key.startsWith("tls") && { tlsCert: "/z.crt", tlsKey: "/z.key" }),
          // As are those of NATS without its servers.
          ...(/^nats|outside/.test(key) && { nats: "nats://z" }),
          ...(/^nats(Cert|Key)/.test(key) && { natsCert: "/z.crt", natsKey: "/z.key" }),
          [key]: typed(byProtocol!),
        } as Settings,
      };
      const found = async (sources: object) => {
        const { config, origins } = await load(sources);
        return [config[key], origins[key]];
      };
      const { [env]: _, ...withoutIt } = all.env;
      expect(await found(all)).toEqual([byFlag![1], "flag"]);
      expect(await found({ ...all, argv: companion })).toEqual([byEnv![1], "environment"]);
      expect(await found({ ...all, argv: companion, env: withoutIt })).toEqual([byFile![1], "file"]);
      expect(await found({ ...all, argv: companion, env: {} })).toEqual([byProtocol![1], "protocol"]);
      const { config, origins } = await load({ cwd });
      expect(origins[key]).toBe("default");
      expect(config[key]).toEqual((await load()).config[key]);
    },
  );

  it("the flag --config beats DROVER_CONFIG", async () => {
    const cwd = folderWith({ "a.json": '{"port":1}', "b.json": '{"port":2}' });
    const { config, origins } = await load({
      cwd,
      argv: ["--config=a.json"],
      env: { DROVER_CONFIG: "b.json" },
    });
    expect([config.port, config.config, origins.config]).toEqual([1, `${cwd}/a.json`, "flag"]);
  });

  it("a mistake is refused even where a stronger place hides it", async () => {
    const [exitCode] = await refusal({ argv: ["--port", "1"], env: { DROVER_PORT: "abc" } });
    expect(exitCode).toBe(78);
  });

  it("the protocol is asked only after everything else is known to be right", async () => {
    const asked: string[][] = [];
    const protocolDefaults = async (positionals: readonly string[]): Promise<Settings> => {
      asked.push([...positionals]);
      return { idleTimeout: "30s" };
    };
    await refusal({ env: { DROVER_PORT: "abc" }, protocolDefaults });
    expect(asked).toEqual([]);
    const { config, origins } = await load({ argv: ["start", "echo"], protocolDefaults });
    expect(asked).toEqual([["start", "echo"]]);
    expect([config.idleTimeout, origins.idleTimeout]).toEqual([30_000, "protocol"]);
  });

  it("a protocol's wrong values and unknown keys are refused", async () => {
    const wrong = { port: "80" } as unknown as Settings;
    expect(await refusal({ protocolDefaults: wrong })).toEqual([
      78,
      'protocol: port: expected a whole number from 0 to 65535, got "80"',
    ]);
    const unknown = { idleTimeOut: "2m" } as Settings;
    expect((await refusal({ protocolDefaults: unknown }))[1]).toBe(
      'protocol: unknown key "idleTimeOut": did you mean idleTimeout?',
    );
  });
});

describe("defaults", () => {
  it("are those of the design", async () => {
    const { config } = await load({ env: { XDG_RUNTIME_DIR: `${folderWith()}/missing` } });
    expect({ ...config }).toEqual({
      name: "drover",
      port: 2222,
      host: "::",
      path: undefined,
      mode: undefined,
      owner: undefined,
      group: undefined,
      workers: "auto",
      adminPort: 9464,
      adminHost: "127.0.0.1",
      adminTokenFile: undefined,
      control: `${tmpdir()}/drover-${process.getuid?.()}/drover.sock`,
      maxRestarts: "auto",
      maxSeconds: 60,
      maxConnections: "auto",
      backlog: 1024,
      maxMessage: 65_536,
      nats: undefined,
      natsCreds: undefined,
      natsCa: undefined,
      natsCert: undefined,
      natsKey: undefined,
      cluster: "drover",
      node: expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
      nodeTimeout: 4000,
      takeOver: 1000,
      outside: "off",
      ...{
        whenFull: "queue",
        acceptRate: undefined,
        addressBan: 0,
        addressRate: undefined,
        allow: undefined,
        deny: undefined,
        exceptionBan: 0,
        maxPerAddress: undefined,
      },
      idleTimeout: undefined,
      shutdown: 2000,
      ...{ firstFrame: undefined, lifetime: undefined },
      ...{ framesPerSecond: undefined, bytesPerSecond: undefined },
      ...{ workerOutbound: undefined, workerInbound: undefined },
      watchdog: 10_000,
      lagWarning: 200,
      maxLag: 1000,
      maxMemory: undefined,
      handlerLatency: "off",
      transport: "auto",
      tlsCert: undefined,
      tlsKey: undefined,
      tlsPassphraseFile: undefined,
      tlsClientCa: undefined,
      tlsClientCrl: undefined,
      tlsClientCerts: undefined,
      tlsStart: undefined,
      tlsMinVersion: "TLSv1.2",
      tlsTicketKeys: undefined,
      logLevel: "info",
      logFile: undefined,
      logFormat: "json",
      config: undefined,
      listeners: [
        {
          name: "main",
          protocol: undefined,
          host: "::",
          port: 2222,
          transport: "auto",
          maxConnections: undefined,
          backlog: 1024,
          shutdown: 2000,
          ...{ allow: undefined, deny: undefined },
          idleTimeout: undefined,
        },
      ],
    });
  });

  it("logs are pretty on a terminal", async () => {
    expect((await load({ isTTY: true })).config.logFormat).toBe("pretty");
    expect((await load({ isTTY: true, argv: ["--log-format", "json"] })).config.logFormat).toBe("json");
    expect((await load({ isTTY: true, argv: ["--log-file", "a.log"] })).config.logFormat).toBe("json");
    const { config } = await load({ isTTY: true, argv: ["--log-file", "/dev/stdout"] });
    expect(config).toMatchObject({ logFile: undefined, logFormat: "pretty" });
  });

  it("the control socket is in the runtime directory and named after the server", async () => {
    const cwd = folderWith();
    const { config, origins } = await load({ env: { XDG_RUNTIME_DIR: cwd }, argv: ["--name", "chat"] });
    expect(config.control).toBe(`${cwd}/drover-${process.getuid?.()}/chat.sock`);
    expect(origins.control).toBe("default");
  });

  it("a runtime directory that is relative or a file is passed over", async () => {
    const cwd = folderWith({ file: "" });
    for (const XDG_RUNTIME_DIR of ["", "run", `${cwd}/file`]) {
      expect((await load({ env: { XDG_RUNTIME_DIR } })).config.control.startsWith(tmpdir())).toBe(true);
    }
  });

  it("auto means one worker per available core", async () => {
    expect(workerCount((await load()).config)).toBe(availableParallelism());
    expect(workerCount((await load({ argv: ["--workers", "3"] })).config)).toBe(3);
  });
});

describe("the result", () => {
  it("is frozen and has no prototype", async () => {
    const { config, origins } = await load();
    for (const result of [config, origins]) {
      expect(Object.isFrozen(result)).toBe(true);
      expect(Object.getPrototypeOf(result)).toBe(null);
    }
  });

  it("has the types of the table", () => {
    expectTypeOf<Config["port"]>().toEqualTypeOf<number>();
    expectTypeOf<Config["workers"]>().toEqualTypeOf<number | "auto">();
    expectTypeOf<Config["shutdown"]>().toEqualTypeOf<number>();
    expectTypeOf<Config["idleTimeout"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Config["transport"]>().toEqualTypeOf<"auto" | "handle" | "stream">();
    expectTypeOf<Config["config"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Settings["idleTimeout"]>().toEqualTypeOf<Duration | undefined>();
    expectTypeOf<keyof Settings>().toEqualTypeOf<Exclude<Key, "config">>();
  });

  it("holds every option, with its origin", async () => {
    const { config, origins } = await load();
    const keys = OPTIONS.map(({ key }) => key);
    expect(Object.keys(config)).toEqual([...keys, "listeners"]);
    expect(Object.keys(origins)).toEqual(keys);
  });

  it("paths of flags and environment begin at the working directory", async () => {
    expect((await load({ cwd: "/srv", argv: ["--control", "a.sock"] })).config.control).toBe("/srv/a.sock");
    expect((await load({ cwd: "/srv", env: { DROVER_CONTROL: "a.sock" } })).config.control).toBe(
      "/srv/a.sock",
    );
  });

  it("is that of this OS process when no source is named", async () => {
    expect(environment()).toBe(process.env);
    expect(parseFlags({ argv: ["tree"] }).positionals).toEqual(["tree"]);
  });
});

describe("the table", () => {
  /** Section 5 of the design: other people's scripts hold on to these names. */
  const CONTRACT: Readonly<Record<string, string>> = {
    "--port": "DROVER_PORT",
    "--host": "DROVER_HOST",
    "--path": "DROVER_PATH",
    "--mode": "DROVER_MODE",
    "--owner": "DROVER_OWNER",
    "--group": "DROVER_GROUP",
    "--workers": "DROVER_WORKERS",
    "--admin-port": "DROVER_ADMIN_PORT",
    "--admin-host": "DROVER_ADMIN_HOST",
    "--admin-token-file": "DROVER_ADMIN_TOKEN_FILE",
    "--control": "DROVER_CONTROL",
    "--max-restarts": "DROVER_MAX_RESTARTS",
    "--max-seconds": "DROVER_MAX_SECONDS",
    "--max-connections": "DROVER_MAX_CONNECTIONS",
    "--backlog": "DROVER_BACKLOG",
    "--max-message": "DROVER_MAX_MESSAGE",
    "--nats": "DROVER_NATS",
    "--nats-creds": "DROVER_NATS_CREDS",
    "--nats-ca": "DROVER_NATS_CA",
    "--nats-cert": "DROVER_NATS_CERT",
    "--nats-key": "DROVER_NATS_KEY",
    "--cluster": "DROVER_CLUSTER",
    "--node": "DROVER_NODE",
    "--node-timeout": "DROVER_NODE_TIMEOUT",
    "--take-over": "DROVER_TAKE_OVER",
    "--outside": "DROVER_OUTSIDE",
    "--idle-timeout": "DROVER_IDLE_TIMEOUT",
    "--shutdown": "DROVER_SHUTDOWN",
    "--first-frame": "DROVER_FIRST_FRAME",
    "--lifetime": "DROVER_LIFETIME",
    "--frames-per-second": "DROVER_FRAMES_PER_SECOND",
    "--bytes-per-second": "DROVER_BYTES_PER_SECOND",
    "--worker-outbound": "DROVER_WORKER_OUTBOUND",
    "--worker-inbound": "DROVER_WORKER_INBOUND",
    "--watchdog": "DROVER_WATCHDOG",
    "--inspect": "DROVER_INSPECT",
    "--lag-warning": "DROVER_LAG_WARNING",
    "--max-lag": "DROVER_MAX_LAG",
    "--max-memory": "DROVER_MAX_MEMORY",
    "--handler-latency": "DROVER_HANDLER_LATENCY",
    "--transport": "DROVER_TRANSPORT",
    "--proxy-from": "DROVER_PROXY_FROM",
    "--allow": "DROVER_ALLOW",
    "--deny": "DROVER_DENY",
    "--max-per-address": "DROVER_MAX_PER_ADDRESS",
    "--when-full": "DROVER_WHEN_FULL",
    "--accept-rate": "DROVER_ACCEPT_RATE",
    "--address-rate": "DROVER_ADDRESS_RATE",
    "--address-ban": "DROVER_ADDRESS_BAN",
    "--exception-ban": "DROVER_EXCEPTION_BAN",
    "--tls-cert": "DROVER_TLS_CERT",
    "--tls-key": "DROVER_TLS_KEY",
    "--tls-passphrase-file": "DROVER_TLS_PASSPHRASE_FILE",
    "--tls-client-ca": "DROVER_TLS_CLIENT_CA",
    "--tls-client-crl": "DROVER_TLS_CLIENT_CRL",
    "--tls-client-certs": "DROVER_TLS_CLIENT_CERTS",
    "--tls-start": "DROVER_TLS_START",
    "--tls-min-version": "DROVER_TLS_MIN_VERSION",
    "--tls-ticket-keys": "DROVER_TLS_TICKET_KEYS",
    "--log-level": "DROVER_LOG_LEVEL",
    "--log-file": "DROVER_LOG_FILE",
    "--log-format": "DROVER_LOG_FORMAT",
    "--config": "DROVER_CONFIG",
  };

  it("has the flags and environment names of the design, and the name", () => {
    const names = Object.fromEntries(OPTIONS.map(({ flag, env }) => [flag, env]));
    expect(names).toEqual({ "--name": "DROVER_NAME", ...CONTRACT });
  });

  it.each(OPTIONS)("$key has a placeholder, a default in words and a sentence", (option) => {
    expect(option.placeholder).toMatch(/^[A-Z]+(\|auto)?$/);
    expect(option.defaultText).not.toBe("");
    expect(option.sentence).toMatch(/^\S.*[a-z0-9]\.$/);
  });

  it("the exit codes are those of the design", () => {
    expect(EXIT).toEqual({
      ok: 0,
      failed: 1,
      usage: 64,
      refused: 65,
      noProtocol: 66,
      nobody: 68,
      unavailable: 69,
      gaveUp: 70,
      noAnswer: 75,
      badConfig: 78,
      interrupted: 130,
    });
  });
});

describe("the texts", () => {
  it("explain shows every value, how it reads and where it came from, and can be JSON", async () => {
    const { config, origins } = await load({
      argv: ["--shutdown", "120000"],
      env: { DROVER_WORKERS: "auto" },
    });
    const rows = explain(config, origins);
    expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
    expect(rows.map(({ key }) => key)).toEqual(OPTIONS.map(({ key }) => key));
    const row = (key: Key) => rows.find((each) => each.key === key);
    expect(row("shutdown")).toMatchObject({ value: 120_000, text: "2m", origin: "flag", flag: "--shutdown" });
    expect(row("workers")).toMatchObject({ value: "auto", text: `auto (${availableParallelism()})` });
    expect(row("workers")).toMatchObject({ origin: "environment", env: "DROVER_WORKERS" });
    expect(row("idleTimeout")).toMatchObject({ value: null, text: "the protocol's own, else 2m" });
    expect(row("config")).toMatchObject({ value: null, text: "none", origin: "default" });
  });

  it("a flag whose value may be left out does not take the next argument for it", async () => {
    const { config, positionals } = await load({ argv: ["start", "--inspect", "./p.ts"] });
    expect([config.inspect, positionals]).toEqual([9229, ["start", "./p.ts"]]);
    expect((await load({ argv: ["--inspect=0"] })).config.inspect).toBe(0);
    expect((await load({})).config.inspect).toBeUndefined();
  });

  it("usage names every flag once, aligned, in at most 100 columns", () => {
    const lines = usage("Usage: drover COMMAND\n").split("\n");
    expect(lines[0]).toBe("Usage: drover COMMAND");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    const left = lines.filter((line) => /^ {2}-/.test(line));
    expect(left.map((line) => line.trim().split(/[ []/)[0])).toEqual([
      ...OPTIONS.map(({ flag }) => flag),
      "--set",
      "-h,",
      "-v,",
    ]);
    const columns = left.map((line) => /^ {2}\S.*? {2,}/.exec(line)![0].length);
    expect(new Set(columns).size).toBe(1);
  });

  it("the table for the README has a row per option and as many cells everywhere", () => {
    const lines = optionsTable().trimEnd().split("\n");
    expect(lines).toHaveLength(OPTIONS.length + 3);
    for (const line of lines) expect(line.split(/(?<!\\)\|/)).toHaveLength(7);
    expect(lines.find((line) => line.includes("--workers"))).toContain(
      "| `--workers N\\|auto` | `DROVER_WORKERS` | `workers` | auto |",
    );
  });
});
