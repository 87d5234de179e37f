/** Files of a starter project. */
import { type Deployment, RUN_TEXTS } from "./starter-deploy.js";

/**
 * Contents by file name.
 * @param name of the package
 * @param dependency version range or folder of drover
 * @param deployments those that the README explains
 */
export function starterProject(
  name: string,
  dependency: string,
  deployments: readonly Deployment[],
): Readonly<Record<string, string>> {
  return {
    "package.json": packageJson(name, dependency),
    "tsconfig.json": TSCONFIG,
    "protocol.ts": PROTOCOL,
    "protocol.test.ts": TEST,
    "README.md": [readme(name), ...deployments.map((one) => RUN_TEXTS[one](name))].join("\n"),
    ".vscode/launch.json": LAUNCH,
    ".gitignore": "node_modules\n",
  };
}

function packageJson(name: string, dependency: string): string {
  const content = {
    name,
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: {
      // exec: npm signals its shell only, which would end and leave the server running.
      dev: "exec drover dev ./protocol.ts",
      start: "exec drover start ./protocol.ts",
      test: "vitest run",
      check: "tsc && drover check ./protocol.ts",
    },
    dependencies: { drover: dependency },
    devDependencies: { typescript: "^7.0.2", vitest: "^4.1.12" },
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const TSCONFIG = `${JSON.stringify(
  {
    compilerOptions: {
      target: "es2023",
      module: "nodenext",
      strict: true,
      skipLibCheck: true,
      types: ["node"],
      allowImportingTsExtensions: true,
      noEmit: true,
    },
    include: ["*.ts"],
  },
  null,
  2,
)}\n`;

/** `restart`: `drover dev` starts another worker after each save. */
const LAUNCH = `${JSON.stringify(
  {
    version: "0.2.0",
    configurations: [
      {
        name: "Attach to drover",
        type: "node",
        request: "attach",
        port: 9229,
        restart: true,
        skipFiles: ["<node_internals>/**", "**/node_modules/**"],
      },
    ],
  },
  null,
  2,
)}\n`;

const PROTOCOL = `import { defineProtocol, lines, next, stop } from "drover";

/** One line is one frame. The first line is the name of the client, which comes before every later line in the answer. */
export default defineProtocol({
  name: "greeter",
  framing: lines(),
  data: () => ({ name: "" }),
  states: {
    greeting: {
      enter: (conn) => conn.send("who are you?"),
      frame: (conn, line) => {
        conn.data.name = line;
        conn.send(\`hello, \${line}\`);
        return next("talking");
      },
      timeout: { after: "30s", do: stop("no name") },
    },
    talking: {
      frame: (conn, line) => {
        if (line === "bye") return stop("bye");
        conn.send(\`\${conn.data.name}: \${line}\`);
      },
      idle: { after: "2m", do: stop("idle") },
      shutdown: (conn) => conn.send("the server is going down, goodbye"),
    },
  },
});
`;

const TEST = `import { ManualClock, serve } from "drover/testing";
import { expect, test } from "vitest";
import protocol from "./protocol.ts";

test("a client gives its name, then every line comes back with it", async () => {
  const server = await serve(protocol);
  const client = await server.connect();
  expect(await client.next()).toBe("who are you?");
  client.send("ada");
  expect(await client.next()).toBe("hello, ada");
  client.send("it works");
  expect(await client.next()).toBe("ada: it works");
  client.send("bye");
  expect(await client.closed).toBe("stopped");
  await server.stop();
});

test("a client that does not give its name is closed after 30 s", async () => {
  const clock = new ManualClock();
  const server = await serve(protocol, { clock });
  const client = await server.connect();
  expect(await client.next()).toBe("who are you?");
  await clock.advance(30_000);
  expect(await client.closed).toBe("stopped");
  await server.stop();
});
`;

function readme(name: string): string {
  return `# ${name}

A TCP server on drover. The protocol is \`protocol.ts\`; everything around it
(workers, supervision, framing, flow control, metrics, graceful stop) is drover's.

\`\`\`sh
npm install
npm test           # the protocol's test, with a real socket
npm run check      # types, configuration and the limits of this machine
npm run dev        # listens on port 2222, restarts after each save, debuggers attach at 9229
npm start          # the same as in service: a worker per core
\`\`\`

Then, in another terminal:

\`\`\`sh
nc 127.0.0.1 2222  # talk to it
npx drover tree    # process tree
npx drover drain   # stop accepting, wait for connections to end
npx drover stop    # graceful stop
\`\`\`

In VS Code, "Attach to drover" (F5) stops at breakpoints in \`protocol.ts\` while \`npm run dev\` runs.

\`npx drover help\` lists all commands and options.
`;
}
