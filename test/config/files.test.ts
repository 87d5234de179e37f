import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { fileRefusal, folderWith, load, loadFile, refusal } from "./support.js";

describe("a file", () => {
  it.each([
    ["drover.json", '{ "port": 1, "shutdown": "3s", "idleTimeout": 500 }'],
    ["drover.js", 'export default { port: 1, shutdown: "3s", idleTimeout: 500 };'],
    ["drover.mjs", 'export default { port: 1, shutdown: "3s", idleTimeout: 500, host: undefined };'],
    [
      "drover.ts",
      'const port: number = 1;\nexport default { port, shutdown: "3s", idleTimeout: 500 } as const;',
    ],
  ])("%s is read", async (name, content) => {
    const { config, origins } = await loadFile(name, content);
    expect([config.port, config.shutdown, config.idleTimeout, config.host]).toEqual([1, 3000, 500, "::"]);
    expect([origins.port, origins.host, origins.config]).toEqual(["file", "default", "flag"]);
  });

  it("may be empty of options", async () => {
    expect((await loadFile("drover.json", " {}\r\n")).config.port).toBe(2222);
  });

  it("may begin with a byte order mark and end its lines as Windows does", async () => {
    expect((await loadFile("drover.json", '\uFEFF{\r\n"port": 1\r\n}')).config.port).toBe(1);
  });

  it("may be reached through a symbolic link", async () => {
    const cwd = folderWith({ "real.json": '{"port":1}' });
    symlinkSync("real.json", join(cwd, "link.json"));
    expect((await load({ cwd, argv: ["--config=link.json"] })).config.port).toBe(1);
  });

  it("its relative paths begin at its own folder", async () => {
    const cwd = folderWith();
    mkdirSync(join(cwd, "etc"));
    writeFileSync(join(cwd, "etc/drover.json"), '{"control":"a.sock"}');
    const { config } = await load({ cwd, argv: ["--config=etc/drover.json"] });
    expect(config.control).toBe(join(cwd, "etc/a.sock"));
  });

  it("that is writable by every user is used, with a warning", async () => {
    const cwd = folderWith({ "drover.json": "{}" });
    chmodSync(join(cwd, "drover.json"), 0o666);
    expect((await load({ cwd, argv: ["--config=drover.json"] })).warnings).toEqual([
      "drover.json is writable by every user: chmod o-w drover.json",
    ]);
    chmodSync(join(cwd, "drover.json"), 0o664);
    expect((await load({ cwd, argv: ["--config=drover.json"] })).warnings).toEqual([]);
  });
});

describe("a path is refused", () => {
  const named = async (path: string, cwd: string) => {
    const [exitCode, message] = await refusal({ cwd, argv: [`--config=${path}`] });
    return `${exitCode} ${message}`;
  };

  it("when there is no file, naming the option that set it", async () => {
    const cwd = folderWith({ file: "" });
    expect(await named("no.json", cwd)).toBe("78 no.json: no such file (named by --config)");
    expect(await named("file/no.json", cwd)).toMatch(/^78 file\/no.json: no such file: a part of its path/);
    expect(await refusal({ cwd, env: { DROVER_CONFIG: "no.json" } })).toEqual([
      78,
      "no.json: no such file (named by DROVER_CONFIG)",
    ]);
    expect(await named("/no/such.json", cwd)).toMatch(/^78 \/no\/such.json: no such file/);
  });

  it("when it is a directory, a FIFO or a device, without waiting", async () => {
    const cwd = folderWith();
    mkdirSync(join(cwd, "folder.json"));
    execFileSync("mkfifo", [join(cwd, "pipe.json")]);
    expect(await named("folder.json", cwd)).toBe("78 folder.json: is a directory (named by --config)");
    expect(await named("pipe.json", cwd)).toBe("78 pipe.json: is not a regular file (named by --config)");
    expect(await named("/dev/zero", cwd)).toBe("78 /dev/zero: is not a regular file (named by --config)");
  });

  it("when there is a loop of symbolic links", async () => {
    const cwd = folderWith();
    symlinkSync("b.json", join(cwd, "a.json"));
    symlinkSync("a.json", join(cwd, "b.json"));
    expect(await named("a.json", cwd)).toMatch(/^78 a.json: too many levels of symbolic links/);
  });

  it("when its name is too long for the system", async () => {
    expect(await named(`${"x".repeat(300)}.json`, folderWith())).toMatch(/: the path is too long/);
  });

  it.skipIf(process.getuid?.() === 0)("when it cannot be read", async () => {
    const cwd = folderWith({ "drover.json": "{}" });
    chmodSync(join(cwd, "drover.json"), 0);
    expect(await named("drover.json", cwd)).toMatch(/^78 drover.json: cannot be read: permission denied/);
  });

  it("when its kind is not known", async () => {
    const cwd = folderWith({ "drover.yaml": "port: 1", drover: "{}" });
    for (const name of ["drover.yaml", "drover"]) {
      expect(await named(name, cwd)).toContain(`${name}: expected a .json, .js, .mjs or .ts file`);
    }
  });
});

describe("a content is refused", () => {
  it.each([
    ["empty", "", "is empty"],
    ["blank", " \r\n\t", "is empty"],
    ["larger than 1 MiB", `{}${" ".repeat(1 << 20)}`, "is larger than 1 MiB (1048578 bytes)"],
    ["nested too deep", `{"port":${"[".repeat(100_000)}`, "is nested deeper than 1000 brackets"],
    ["binary", new Uint8Array([0x7b, 0, 0x7d]), "is not text in UTF-8"],
    ["not UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "is not text in UTF-8"],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), "is not text in UTF-8"],
  ])("%s", async (_, content, reason) => {
    expect(await fileRefusal("drover.json", content)).toBe(`drover.json: ${reason} (named by --config)`);
    expect(await fileRefusal("drover.ts", content)).toBe(`drover.ts: ${reason} (named by --config)`);
  });

  it.each([
    ['{\n "port": 1\n "host": ""}', /^drover.json:3:2: Expected "," in JSON/],
    ['{"port":1,}', /^drover.json:1:10: JSON does not support trailing commas$/],
    ['{"port":', /^drover.json:1:\d+: Unexpected end of file in JSON$/],
    ["{\r\n  port: 1}", /^drover.json:2:3: /],
    ["port: 1", /^drover.json:1:1: Unexpected "port" in JSON$/],
    ['{"port":1}}', /^drover.json:1:11: /],
    ['{"port":01}', /^drover.json:1:\d+: /],
  ])("JSON that is none, with line and column: %.30s", async (content, message) => {
    expect(await fileRefusal("drover.json", content)).toMatch(message);
  });

  it.each([
    ["[]", "an array"],
    ["null", "null"],
    ["1", "1"],
    ['"x"', '"x"'],
  ])("JSON that is no object: %s", async (content, what) => {
    expect(await fileRefusal("drover.json", content)).toBe(
      `drover.json: expected an object of options, got ${what}`,
    );
  });

  it.each([
    ['{"maxConection": 5}', '1:2: unknown key "maxConection": did you mean maxConnections?'],
    ['{\n  "max-connections": 5}', '2:3: unknown key "max-connections": did you mean maxConnections?'],
    ['{"port":1,\n\n "__proto__": {"port": 2}}', '3:2: unknown key "__proto__"'],
    ['{"constructor": 1}', '1:2: unknown key "constructor"'],
    ['{"": 1}', '1:2: unknown key ""'],
    ['{"config": "x.json"}', '1:2: unknown key "config": set it with --config or DROVER_CONFIG'],
    ['{"port": "80"}', '1:2: port: expected a whole number from 0 to 65535, got "80"'],
    ['{"port": null}', "1:2: port: expected a whole number from 0 to 65535, got null"],
    ['{"port": 80.5}', "1:2: port: expected a whole number from 0 to 65535, got 80.5"],
    ['{"port": 1e9}', "1:2: port: expected a whole number from 0 to 65535, got 1000000000"],
    ['{"port": [80]}', "1:2: port: expected a whole number from 0 to 65535, got an array"],
    [
      '{"host": {"port": 1}}',
      "1:2: host: expected an IP address (IPv6 without brackets) or a host name, got an object",
    ],
    ['{"logLevel": true}', expect.stringMatching(/^1:2: logLevel: expected one of trace, .*, got true$/)],
    [
      '{"idleTimeout": -1}',
      expect.stringMatching(/^1:2: idleTimeout: expected a duration over 0 .*, got -1$/),
    ],
    ['{"shutdown": "2"}', expect.stringMatching(/^1:2: shutdown: expected a duration .*, got "2"$/)],
    ['{"control": ""}', '1:2: control: expected a path, got ""'],
    ['{"control": "a\\u0000b"}', '1:2: control: expected a path, got "a\\u0000b"'],
    ['{"port":1, "name":"x",\n"port":2}', '2:1: key "port" is given twice: first at drover.json:1:2'],
    ['{"p\\u006frt":1, "port":2}', '1:17: key "port" is given twice: first at drover.json:1:2'],
    ['{"port":1, "h\\"":{"port":[{"port":2}]}}', '1:12: unknown key "h\\""'],
  ])("a key or a value in JSON: %s", async (content, message) => {
    const found = await fileRefusal("drover.json", content);
    expect(found.slice(0, 12)).toBe("drover.json:");
    expect(found.slice(12)).toEqual(message);
  });
});

describe("a module is refused", () => {
  it.each([
    [
      "drover.mjs",
      "export const port = 1;",
      "drover.mjs: has no default export: write export default { port: 2222 }",
    ],
    [
      "drover.ts",
      "export const port = 1;",
      "drover.ts: has no default export: write export default { port: 2222 }",
    ],
    ["drover.mjs", "export default () => 1;", "drover.mjs: expected an object of options, got a function"],
    ["drover.mjs", "export default new Map();", "drover.mjs: expected an object of options, got an object"],
    [
      "drover.mjs",
      "export default { __proto__: { port: 1 } };",
      "drover.mjs: expected an object of options, got an object",
    ],
    ["drover.mjs", "export default { host: '::', hots: 1 };", 'drover.mjs: unknown key "hots"'],
    ["drover.mjs", "export default { prot: 1 };", 'drover.mjs: unknown key "prot": did you mean port?'],
    [
      "drover.ts",
      "export default { port: NaN };",
      "drover.ts: port: expected a whole number from 0 to 65535, got NaN",
    ],
    [
      "drover.mjs",
      "export default { port: 1n };",
      "drover.mjs: port: expected a whole number from 0 to 65535, got 1n",
    ],
    ["drover.mjs", "export default {\n  port: 1,,\n};", /^drover.mjs:2:11: /],
    ["drover.ts", "export default {\n  port: 1,,\n};", /^drover.ts:2:11: /],
    ["drover.mjs", "\nthrow new Error('no\\nluck');", /^drover.mjs:2:7: Error: no$/],
    ["drover.ts", "throw new TypeError('no luck');", "drover.ts:1:7: TypeError: no luck"],
    ["drover.mjs", "throw null;", "drover.mjs: throws null"],
    ["drover.mjs", "throw Object.create(null);", "drover.mjs: throws an object"],
    [
      "drover.mjs",
      "import './gone.js'; export default {};",
      /^drover.mjs:1:8: Could not resolve "\.\/gone\.js"$/,
    ],
    [
      "drover.ts",
      "import './gone.js'; export default {};",
      /^drover.ts:1:8: Could not resolve "\.\/gone\.js"$/,
    ],
  ])("%s: %j", async (name, content, message) => {
    const found = await fileRefusal(name, content);
    if (typeof message === "string") expect(found).toBe(message);
    else expect(found).toMatch(message);
  });
});

describe("a module", () => {
  it("may import its neighbours, what Node brings and CommonJS", async () => {
    const cwd = folderWith({
      "drover.ts": `
        import { basename, join } from "node:path";
        import { fileURLToPath } from "node:url";
        import { port } from "./port.ts";
        import backlog from "./backlog.cjs";
        if (import.meta.filename !== join(import.meta.dirname, "drover.ts")) throw new Error("elsewhere");
        export default { port, backlog, name: basename(fileURLToPath(import.meta.url), ".ts") };`,
      "port.ts": "export const port: number = 1;",
      "backlog.cjs": "module.exports = require('node:os').EOL.length + __filename.indexOf(__dirname);",
    });
    const { config } = await load({ cwd, argv: ["--config=drover.ts"] });
    expect([config.port, config.backlog, config.name]).toEqual([1, 1, "drover"]);
  });

  it.each(["config.mjs", "config.js", "config.ts"])(
    "may be named %s and make its own require",
    async (name) => {
      const content = `import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      export default { backlog: require("node:os").EOL.length };`;
      expect((await loadFile(name, content)).config.backlog).toBe(1);
    },
  );

  it("reads the environment as it is at each load", async () => {
    const cwd = folderWith({ "drover.mjs": "export default { name: process.env.CONFIG_TEST_NAME };" });
    onTestFinished(() => void vi.unstubAllEnvs());
    for (const name of ["one", "two"]) {
      vi.stubEnv("CONFIG_TEST_NAME", name);
      expect((await load({ cwd, argv: ["--config=drover.mjs"] })).config.name).toBe(name);
    }
  });

  it("a mistake in a neighbour is placed in the neighbour", async () => {
    const cwd = folderWith({
      "syntax.ts": 'import "./wrong.js"; export default {};',
      "thrown.ts": 'import { port } from "./throws.js"; export default { port };',
      "wrong.js": "export const port = ;",
      "throws.js": "\nexport const port = undefined.port;",
    });
    expect((await refusal({ cwd, argv: ["--config=syntax.ts"] }))[1]).toBe('wrong.js:1:21: Unexpected ";"');
    const [, thrown] = await refusal({ cwd: "/", argv: [`--config=${cwd}/thrown.ts`] });
    expect(thrown).toMatch(/\/throws.js:2:31: TypeError: Cannot read properties of undefined/);
  });
});

describe("a module that was edited", () => {
  it.each(["drover.mjs", "drover.ts"])("%s is read again", async (name) => {
    const cwd = folderWith({ [name]: "export default { port: 1 };" });
    const port = async () => (await load({ cwd, argv: [`--config=${name}`] })).config.port;
    expect(await port()).toBe(1);
    writeFileSync(join(cwd, name), "export default { port: 2 };");
    expect(await port()).toBe(2);
  });
});
