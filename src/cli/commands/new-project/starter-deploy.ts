/**
 * Files of a starter project to run it by: made of the tested ones in `scripts/deploy`, with the name, the folder and the
 * protocol of the project.
 */

export type Deployment = "pm2" | "docker" | "systemd";

type Replacement = readonly [from: string | RegExp, to: string];

/**
 * Contents by file name.
 * @param read text of a file of this package
 */
export function deployFiles(
  name: string,
  wanted: readonly Deployment[],
  read: (file: string) => string,
): Readonly<Record<string, string>> {
  const made = wanted.map((one) => FILES[one](name, read));
  return Object.assign({}, ...made);
}

const FILES: Readonly<Record<Deployment, (name: string, read: (file: string) => string) => object>> = {
  pm2: (name, read) => ({
    "ecosystem.config.cjs": replaced(read("ecosystem.config.cjs"), [
      ['name: "drover"', `name: "${name}"`],
      ['script: "dist/main.js"', 'script: "node_modules/drover/dist/main.js"'],
      ['args: "start"', 'args: "start ./protocol.ts"'],
    ]),
  }),
  docker: (name, read) => ({
    Dockerfile: replaced(read("scripts/deploy/Dockerfile"), [
      ["--tag drover", `--tag ${name}`],
      ["nofile=65536 drover", `nofile=65536 ${name}`],
    ]),
    ".dockerignore": "node_modules\n.git\nDockerfile\n.dockerignore\n*.test.ts\n",
  }),
  systemd: (name, read) => ({
    [`${name}.service`]: service(name, read("scripts/deploy/drover.service")),
    [`${name}.socket`]: replaced(read("scripts/deploy/drover.socket"), [
      ["of drover.service", `of ${name}.service`],
      ["enable --now drover.socket", `enable --now ${name}.socket`],
      ["of the drover TCP server", `of ${name}`],
    ]),
  }),
};

function service(name: string, text: string): string {
  return replaced(text, [
    [
      "# systemd service for a drover server. Copy it",
      `# systemd service of ${name}: the project in /opt/${name}. Copy it`,
    ],
    [/drover\.service\.d/, `${name}.service.d`],
    [/\/etc\/drover\.env, then/, `/etc/${name}.env, then`],
    ["enable --now drover", `enable --now ${name}`],
    ["With drover.socket", `With ${name}.socket`],
    ["Description=drover TCP server", `Description=${name}, a TCP server on drover`],
    [
      "ExecStart=/usr/bin/node /opt/drover/dist/main.js start",
      `WorkingDirectory=/opt/${name}\nExecStart=/usr/bin/node node_modules/drover/dist/main.js start ./protocol.ts`,
    ],
    ["EnvironmentFile=-/etc/drover.env", `EnvironmentFile=-/etc/${name}.env`],
    ["DROVER_CONTROL=%t/drover/drover.sock", `DROVER_CONTROL=%t/${name}/drover.sock`],
    [
      "DROVER_CONTROL=/run/drover/drover.sock drover tree",
      `DROVER_CONTROL=/run/${name}/drover.sock /opt/${name}/node_modules/.bin/drover tree`,
    ],
    ["RuntimeDirectory=drover", `RuntimeDirectory=${name}`],
  ]);
}

/** @throws Error when a text is not there: the file has changed, and this one must follow */
function replaced(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((result, [from, to]) => {
    const next = result.replace(from, () => to);
    if (next === result) throw new Error(`not found in the file of scripts/deploy: ${from}`);
    return next;
  }, text);
}

/** Section of the README for each of them. */
export const RUN_TEXTS: Readonly<Record<Deployment, (name: string) => string>> = {
  pm2: () => `Under pm2, in fork mode, with drover's own workers:

\`\`\`sh
pm2 start ecosystem.config.cjs
\`\`\`
`,
  docker: (name) => `In a container (the Dockerfile has the details):

\`\`\`sh
docker build --tag ${name} .
docker run --publish 2222:2222 --ulimit nofile=65536 ${name}
\`\`\`

The build needs \`package-lock.json\`, which \`npm install\` writes. A drover that was installed from a folder is not in
the build context: \`npm pack\` it there, and \`npm install ./drover-0.1.0.tgz\` here.
`,
  systemd: (
    name,
  ) => `Under systemd, as root, with this folder in \`/opt/${name}\` and settings in \`/etc/${name}.env\`:

\`\`\`sh
cp ${name}.service ${name}.socket /etc/systemd/system/
systemctl enable --now ${name}          # or ${name}.socket: then clients wait while it restarts
\`\`\`
`,
};
