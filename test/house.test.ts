/** Rules of the architecture: which folder may import which, and sizes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { importCircles } from "./support/import-circles.js";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Rooms of ours that a room may import besides itself. `events`: only their events.ts. */
const LAW: Readonly<Record<string, readonly string[]>> = {
  otp: [],
  framing: [],
  text: [],
  transport: [],
  tls: ["otp/time/clock", "transport/secure/terms"],
  proxy: [],
  tcp: ["otp", "framing", "transport", "text", "proxy", "tls"],
  groups: ["otp", "tcp", "transport", "text/address"],
  exchange: ["otp", "groups", "tcp/observe/group-counters", "transport", "text"],
  telemetry: [
    "control/stats",
    "admin/events",
    "otp/events",
    "otp/process/exit-reason",
    "otp/process/pid",
    "otp/time/clock",
    "tcp/metrics/definition",
    "tcp/observe/events",
    "tcp/observe/protocol-log",
    "text",
  ],
  config: [
    "otp/time/clock",
    "otp/time/duration",
    "proxy/trusted-networks",
    "tcp/admission/full-policy",
    "tcp/admission/rate",
    "text",
    "transport/unix/socket-path",
    "tls/options",
  ],
  control: ["otp", "config"],
  cluster: ["exchange", "groups", "otp", "tcp", "transport", "telemetry", "control", "config", "text", "tls"],
  admin: [
    ...["otp", "cluster", "control", "telemetry", "config", "text"],
    ...["transport/unix/socket-file", "transport/unix/socket-path"],
  ],
  "admin/page": ["control", "config/limits", "text"],
  cli: ["control", "config", "text"],
  protocols: ["index"],
  index: ["otp", "framing", "groups", "tcp", "proxy", "tls", "config/define-config"],
  testing: [
    "otp",
    "framing",
    "groups/message",
    "tcp",
    "tls/client-terms",
    "transport",
    ...["pretty", "lines/log-entry", "lines/protocol-lines", "lines/sources"].map(
      (one) => `telemetry/log/${one}`,
    ),
  ],
  program: [
    ...["admin", "cli", "cluster", "config", "control", "otp", "telemetry", "text", "transport", "tls"],
    ...["exchange/nats/check-nats", "exchange/nats/client-package", "exchange/nodes/options"],
  ],
  main: ["program", "cluster", "exchange", "config/modules/module-thread"],
};

/** Folders of a room and what they must not import, types included: primary and worker are different OS processes. */
const APART: Readonly<Record<string, readonly string[]>> = {
  "cluster/primary": ["cluster/worker"],
  "cluster/worker": ["cluster/primary"],
  "cluster/channel": ["cluster/primary", "cluster/worker"],
  "cluster/inspect": ["cluster/primary", "cluster/worker"],
  "cluster/release": ["cluster/primary", "cluster/worker"],
};

/** Packages and globals that only certain rooms may use. */
const ONLY: readonly (readonly [what: RegExp, where: RegExp])[] = [
  [/from "node:cluster"/, /^cluster\//],
  [/from "node:(net|tls)"/, /^(transport|tls|proxy|admin|cli|config|exchange|cluster\/primary\/inspector)\//],
  [/from "(pino|prom-client)["/]/, /^telemetry\//],
  [/from "(hono|@hono)/, /^admin\//],
  [/@nats-io\//, /^exchange\/nats\//],
  [/\bprocess\.env\b/, /^config/],
  [
    /\bDate\.now\b|(?<![.\w])setTimeout\(|(?<![.\w])setInterval\(/,
    /^(otp\/time\/(clock|long-timer)\.ts$|admin\/page\/|protocols\/)/,
  ],
  [/from "(preact|d3-hierarchy|uplot)/, /^admin\/page\//],
];

const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
/** Without comments, which may name what the code must not. */
const codeOf = (path: string) => readFileSync(path, "utf8").replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "");
const code = (name: string) => codeOf(join(SRC, name));
/** The page runs in a browser: it is a room of its own within admin. */
const room = (name: string) =>
  /^admin\/page(?=\/)/.exec(name)?.[0] ?? (name.split("/")[0]?.replace(/\.ts$/, "") as string);

/** The relative imports in a text, types and dynamic ones included. */
const importPaths = (text: string) =>
  [...text.matchAll(/(?:from|import\() ?"(\.[^"]+)"/g)].map(([, path]) => path as string);
/** What a file imports of ours, as paths below `src` without extension. */
const importsOf = (name: string) =>
  importPaths(code(name)).map((path) => relative(SRC, join(SRC, dirname(name), path)).replace(/\.js$/, ""));

test("every room imports only what the law allows", () => {
  const broken = files.flatMap((name) => {
    const allowed = LAW[room(name)] ?? [];
    return importsOf(name)
      .filter(
        (target) =>
          room(target) !== room(name) && !allowed.includes(room(target)) && !allowed.includes(target),
      )
      .map((target) => `${name} imports ${target}`);
  });
  expect(broken).toEqual([]);
});

test("the primary and the workers share code only through the channel and inspect folders", () => {
  const broken = Object.entries(APART).flatMap(([folder, others]) =>
    files
      .filter((name) => name.startsWith(`${folder}/`))
      .flatMap((name) =>
        importsOf(name)
          .filter((target) => others.some((other) => target.startsWith(`${other}/`)))
          .map((target) => `${name} imports ${target}`),
      ),
  );
  expect(broken).toEqual([]);
});

/** Rooms that another one may only import types of. */
const TYPES_ONLY: readonly (readonly [from: string, of: string])[] = [
  ["admin/page", "control"],
  ["control", "config"],
  ["control", "otp"],
  ["telemetry", "control"],
];

test("where only types are shared, only types are imported", () => {
  const broken = TYPES_ONLY.flatMap(([from, of]) => {
    const values = new RegExp(`^import (?!type).*from "(?:\\.\\./)+${of}/.*$`, "gm");
    return files
      .filter((name) => room(name) === from)
      .flatMap((name) => [...code(name).matchAll(values)].map(([line]) => `${name}: ${line}`));
  });
  expect(broken).toEqual([]);
});

test("text uses nothing of Node, because the page is bundled with it", () => {
  const broken = files.filter(
    (name) => room(name) === "text" && /from "node:|\bBuffer\b|\bprocess\./.test(code(name)),
  );
  expect(broken).toEqual([]);
});

test("a folder has at most 15 source files, so that its listing is a table of contents", () => {
  const folders = [...new Set(files.map((name) => dirname(name)))];
  const counts = folders.map((folder) => ({
    folder,
    files: files.filter((name) => dirname(name) === folder).length,
  }));
  expect(counts.filter((one) => one.files > 15)).toEqual([]);
});

test("no file is in a circle of imports", () => {
  const paths = ["src", "scripts"].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(tsx?|mjs)$/.test(name))
      .map((name) => join(folder, name)),
  );
  const targets = (path: string) =>
    importPaths(codeOf(join(ROOT, path))).flatMap((to) => {
      const target = join(dirname(path), to);
      return [target, target.replace(/\.js$/, ".ts"), target.replace(/\.js$/, ".tsx")].filter((one) =>
        paths.includes(one),
      );
    });
  expect(importCircles(new Map(paths.map((path) => [path, targets(path)])))).toEqual([]);
});

/** Files that a text names between backticks, with a folder or without. */
const namedFiles = (text: string) =>
  [...text.matchAll(/`([\w./-]+\.(?:tsx?|mjs))`/g)].map(([, name]) => name as string);

test("each file that the README of a room names is there", () => {
  const rooms = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) =>
    /(^|\/)README\.md$/.test(name),
  );
  const broken = rooms.flatMap((readme) => {
    const folder = dirname(readme);
    const own = files.filter((name) => folder === "." || name.startsWith(`${folder}/`));
    const isThere = (name: string) =>
      own.some((one) => `/${one}`.endsWith(`/${name}`)) ||
      [folder, "", ".."].some((base) => existsSync(join(SRC, base, name)));
    return namedFiles(readFileSync(join(SRC, readme), "utf8"))
      .filter((name) => !isThere(name))
      .map((name) => `${readme}: ${name}`);
  });
  expect(rooms.length).toBeGreaterThan(15);
  expect(broken).toEqual([]);
});

test("packages, the environment and the clock are used only where they belong", () => {
  const broken = ONLY.flatMap(([what, where]) =>
    files.filter((name) => !where.test(name) && what.test(code(name))).map((name) => `${name}: ${what}`),
  );
  expect(broken).toEqual([]);
});

test("the top level holds what the plan names and no more", () => {
  const allowed =
    /^(src|test|scripts|guide|package(-lock)?\.json|tsconfig\.json|biome\.json|vitest\.config\.ts|ecosystem\.config\.cjs|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md|node_modules|dist|\..+)$/;
  expect(readdirSync(ROOT).filter((name) => !allowed.test(name))).toEqual([]);
});
