import { describe, expect, expectTypeOf, it } from "vitest";
import { explainAll, OPTIONS } from "../../src/config/config.js";
import { defineConfig, type ListenerSettings } from "../../src/index.js";
import { fileRefusal, folderWith, load, loadFile, refusal } from "./support.js";

const one = '{ "name": "devices", "protocol": "echo", "port": 2222 }';
const file = (...listeners: string[]) => `{ "listeners": [\n  ${listeners.join(",\n  ")}\n] }`;

describe("without listeners in a file", () => {
  it("there is main, from the options", async () => {
    const argv = ["--host=10.0.0.1", "--port=1", "--idle-timeout=5s", "--backlog=9", "--transport=stream"];
    const { config, listenersPlace } = await load({ argv });
    expect(config.listeners).toEqual([
      {
        ...{ name: "main", protocol: undefined, host: "10.0.0.1", port: 1, transport: "stream" },
        ...{ maxConnections: undefined, backlog: 9, shutdown: 2000, idleTimeout: 5000 },
      },
    ]);
    expect(listenersPlace).toBe(undefined);
  });

  it("main is a UNIX socket with --path", async () => {
    const argv = ["--path=run/x.sock", "--mode=0660", "--group=acme"];
    const [main] = (await load({ argv, cwd: "/srv" })).config.listeners;
    expect(main).toMatchObject({ path: "/srv/run/x.sock", mode: 0o660, group: "acme" });
    expect((await load({ argv: ["--path=@acme"] })).config.listeners[0]?.path).toBe("@acme");
  });

  it.each([
    [["--path=/x", "--port=1"], "--port and --path are two addresses of one listener: remove one of them"],
    [["--path=/x", "--host=::1"], "--host and --path are two addresses of one listener: remove one of them"],
    [["--mode=0660"], "--mode: only a UNIX socket has it: set --path as well, or remove it"],
    [["--path=/x", "--control=/x"], "--control and --path are both /x: choose another path for one of them"],
    [["--path=/x", "--mode=660"], undefined],
    [["--path=/x", "--admin-port=2222"], undefined],
    [["--path=/x", "--mode=rw"], '--mode: expected permissions in octal digits, such as "0660", got "rw"'],
  ])("%j", async (argv, message) => {
    if (message === undefined) await expect(load({ argv })).resolves.toBeDefined();
    else expect(await refusal({ argv })).toEqual([64, message]);
  });
});

describe("listeners of a file", () => {
  it("have the options for defaults", async () => {
    const text = `{ "idleTimeout": "1m", "shutdown": 5, "backlog": 7, "listeners": [${one},
      { "name": "ops", "protocol": "./ops.ts", "path": "run/ops.sock", "mode": "0660", "idleTimeout": "2s",
        "maxConnections": 10, "transport": "stream" },
      { "name": "unit", "protocol": "echo", "systemd": "acme-echo" }] }`;
    const cwd = folderWith({ "acme.json": text });
    const { config, listenersPlace } = await load({ cwd, argv: ["--config=acme.json", "--backlog=8"] });
    expect(listenersPlace).toBe("acme.json:1:53: listeners");
    const common = { host: "::", port: 0, transport: "auto", maxConnections: undefined };
    const defaults = { backlog: 8, shutdown: 5, idleTimeout: 60_000 };
    expect(config.listeners).toEqual([
      { ...common, ...defaults, name: "devices", protocol: "echo", port: 2222 },
      {
        ...{ ...common, ...defaults, name: "ops", protocol: `${cwd}/ops.ts`, path: `${cwd}/run/ops.sock` },
        ...{ mode: 0o660, idleTimeout: 2000, maxConnections: 10, transport: "stream" },
      },
      { ...common, ...defaults, name: "unit", protocol: "echo", systemd: "acme-echo" },
    ]);
    expect(Object.isFrozen(config.listeners)).toBe(true);
    expect(Object.isFrozen(config.listeners[0])).toBe(true);
  });

  it("may be those of a module", async () => {
    const { config } = await loadFile("acme.ts", `export default { listeners: [${one}] };`);
    expect(config.listeners[0]?.name).toBe("devices");
    expect(await fileRefusal("acme.js", 'export default { listeners: [{ name: "A" }] };')).toMatch(
      /^acme\.js: listeners\[0\]\.name: expected a name of 1 to 32 characters/,
    );
  });

  it.each([
    ["[]", "a.json:1:3: listeners: expected an array of 1 to 64 listeners, got 0"],
    ['"x"', 'a.json:1:3: listeners: expected an array of 1 to 64 listeners, got "x"'],
    [`[${one}, 5]`, "a.json:1:74: listeners[1]: expected an object, got 5"],
    [
      '[{ "name": "listeners" }]',
      "a.json:1:19: listeners[0].name: listeners is the name of a supervisor in the tree: choose another one",
    ],
    ["[{}]", 'a.json:1:17: listeners[0]: needs a name, such as "name": "devices"'],
    ['[{ "name": "a" }]', "a.json:1:17: listeners[0]: needs an address: one of port, path or systemd"],
    [
      '[{ "name": "a", "port": 1 }]',
      'a.json:1:17: listeners[0]: needs a protocol, such as "protocol": "./my-protocol.ts"',
    ],
    [
      '[{ "name": "a", "porto": 1 }]',
      'a.json:1:32: listeners[0].porto: unknown key "porto": did you mean port?',
    ],
    [
      '[{ "name": "a", "port": 1, "prot": "echo" }]',
      'a.json:1:43: listeners[0].prot: unknown key "prot": did you mean protocol?',
    ],
    [
      '[{ "name": "a", "port": 70000 }]',
      "a.json:1:32: listeners[0].port: expected a whole number from 0 to 65535, got 70000",
    ],
    [
      '[{ "name": "a", "port": 1, "path": "/x" }]',
      "a.json:1:43: listeners[0].path: a listener has one address, and this one has port as well: remove one of them",
    ],
    [
      '[{ "name": "a", "protocol": "echo", "path": "/x", "host": "::1" }]',
      "a.json:1:66: listeners[0].host: only a listener with a port has a host: remove it, or set port",
    ],
    [
      '[{ "name": "a", "protocol": "echo", "port": 1, "mode": "0660" }]',
      "a.json:1:63: listeners[0].mode: only a UNIX socket has it: remove it, or set path",
    ],
    [
      '[{ "name": "a", "port": 1, "alpn": { "x": "echo" } }]',
      "a.json:1:43: listeners[0].alpn: the protocol is agreed on in the TLS handshake: set tls as well",
    ],
    [
      '[{ "name": "a", "name": "b", "port": 1 }]',
      'a.json:1:32: key "name" is given twice: first at a.json:1:19',
    ],
    [
      '[{ "name": "a", "protocol": 7, "port": 1 }]',
      "a.json:1:32: listeners[0].protocol: expected a built-in protocol such as echo, or a file such as ./my-protocol.ts, got 7",
    ],
    [
      '[{ "name": "a", "protocol": "echo", "port": 1, "tls": { "cret": "x" } }]',
      'a.json:1:72: listeners[0].tls.cret: unknown key "cret": did you mean cert?',
    ],
  ])("%s is refused with its place", async (listeners, message) => {
    expect(await fileRefusal("a.json", `{ "listeners": ${listeners} }`)).toBe(message);
  });

  const second = (name: string, address: string) => `{ "name": "${name}", "protocol": "echo", ${address} }`;

  it.each([
    [
      second("devices", '"port": 1'),
      'a.json:2:5: listeners[0].name and a.json:3:5: listeners[1].name are both "devices"',
    ],
    [
      second("b", '"port": 2222, "host": "127.0.0.1"'),
      "a.json:2:44: listeners[0].port and a.json:3:38: listeners[1].port are both 2222, and :: and 127.0.0.1 overlap: choose another port for one of them",
    ],
    [
      second("b", '"port": 9464'),
      "--admin-port (default) and a.json:3:38: listeners[1].port are both 9464, and 127.0.0.1 and :: overlap: choose another port for one of them",
    ],
  ])("%s beside devices is refused with both places", async (other, message) => {
    expect(await fileRefusal("a.json", file(one, other))).toBe(message);
  });

  it("of one path, or of one inherited socket, are refused", async () => {
    const twice = (address: string) =>
      fileRefusal("a.json", file(second("a", address), second("b", address)));
    expect(await twice('"path": "/x.sock"')).toBe(
      "a.json:2:38: listeners[0].path and a.json:3:38: listeners[1].path are both /x.sock: choose another path for one of them",
    );
    expect(await twice('"systemd": "s"')).toBe(
      "a.json:2:38: listeners[0].systemd and a.json:3:38: listeners[1].systemd are both the inherited socket s: name another one",
    );
    await expect(
      loadFile("a.json", file(second("a", '"port": 0'), second("b", '"port": 0'))),
    ).resolves.toBeDefined();
  });

  it.each([
    [{ argv: ["--port=1"] }, 64, "--port"],
    [{ argv: ["--host=::1"] }, 64, "--host"],
    [{ argv: ["--path=/x"] }, 64, "--path"],
    [{ env: { DROVER_PORT: "1" } }, 78, "DROVER_PORT"],
  ])("beside %j are refused, naming both places", async (sources, exitCode, place) => {
    const cwd = folderWith({ "a.json": file(one) });
    const argv = ["--config=a.json", ...("argv" in sources ? sources.argv : [])];
    expect(await refusal({ cwd, ...sources, argv })).toEqual([
      exitCode,
      `${place} and a.json:1:3: listeners both configure listeners: remove one of them`,
    ]);
  });
});

describe("drover config", () => {
  it("shows listeners in place of the options of the only one, and of TLS the paths, never PEM", async () => {
    const key = "-----BEGIN PRIVATE KEY-----secret";
    const listeners = [
      { name: "a", protocol: "echo", port: 1, shutdown: "3s", tls: { cert: "a.crt", key } },
      { name: "b", protocol: "./b.ts", path: "/run/b", mode: "0660" },
    ];
    const loaded = await loadFile("a.js", `export default ${JSON.stringify({ shutdown: "2s", listeners })}`);
    const rows = explainAll(loaded);
    expect(JSON.stringify(rows)).not.toContain("secret");
    const keys = rows.map(({ key }) => key);
    for (const gone of ["port", "host", "path", "tlsCert", "proxyFrom"]) expect(keys).not.toContain(gone);
    expect(
      rows.filter(({ key }) => key.startsWith("listeners.")).map(({ key, text }) => `${key} ${text}`),
    ).toEqual([
      "listeners.a.protocol echo",
      "listeners.a.host ::",
      "listeners.a.port 1",
      "listeners.a.shutdown 3s",
      expect.stringMatching(/^listeners\.a\.tls cert \/.*\/a\.crt, key PEM text$/),
      expect.stringMatching(/^listeners\.b\.protocol \/.*\/b\.ts$/),
      "listeners.b.path /run/b",
      "listeners.b.mode 0660",
    ]);
    expect(explainAll(await load()).map(({ key }) => key)).toEqual(OPTIONS.map(({ key }) => key));
  });
});

describe("defineConfig", () => {
  it("gives the file its types, and returns it", () => {
    const config = defineConfig({
      idleTimeout: "2m",
      listeners: [{ name: "a", protocol: "echo", port: 1, shutdown: "3s" }],
    });
    expect(config.listeners?.[0]?.name).toBe("a");
    type Listener<Rest> = { name: string } & Rest extends ListenerSettings ? true : false;
    expectTypeOf<Listener<{ protocol: string; path: string; mode: string }>>().toEqualTypeOf<true>();
    expectTypeOf<Listener<{ protocol: string }>>().toEqualTypeOf<false>();
    expectTypeOf<Listener<{ port: number }>>().toEqualTypeOf<false>();
    expectTypeOf<Listener<{ protocol: string; port: number; idleTimeout: "x" }>>().toEqualTypeOf<false>();
  });
});
