// Servers of the TLS benchmark, each one OS process that echoes; nginx and HAProxy are two, with a plain drover behind.
import { type ChildProcess, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import { defineProtocol, packet, serve } from "../../../src/index.js";

export interface Server {
  readonly name: string;
  /** Its process, whose descendants are counted too. */
  readonly osPid: number;
  readonly port: number;
  stop(): void;
}

const FILES = join(process.cwd(), "test/support/certificates");
const [CERT, KEY] = [join(FILES, "server.crt"), join(FILES, "server.key")];

const echo = defineProtocol({
  name: "echo",
  framing: packet(2),
  frames: "borrowed",
  states: { ready: { frame: (conn, frame) => conn.send(frame) } },
});

/** What one contestant runs in its process, by name. @returns its port */
const HERE: Record<string, () => Promise<number>> = {
  tls: async () => {
    const options = { cert: readFileSync(CERT), key: readFileSync(KEY), noDelay: true };
    const server = createTlsServer(options, (socket) => {
      socket.on("data", (chunk) => socket.write(chunk)).on("error", () => {});
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return (server.address() as { port: number }).port;
  },
  handle: () => drover("handle"),
  stream: () => drover("stream"),
  plain: async () => (await serve(echo, { port: 0, maxConnections: 50_000 })).port,
};

async function drover(transport: "handle" | "stream"): Promise<number> {
  const options = { port: 0, maxConnections: 50_000, transport, tls: { cert: CERT, key: KEY } };
  return (await serve(echo, options)).port;
}

export async function serveHere(name: string): Promise<void> {
  process.send?.(await HERE[name]?.());
}

async function started(entry: string, name: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(entry, ["serve", name]);
  const [port] = (await once(child, "message")) as [number];
  return { child, port };
}

const own = (entry: string, name: string, what: string) => async (): Promise<Server> => {
  const { child, port } = await started(entry, what);
  return { name, osPid: child.pid as number, port, stop: () => void child.kill() };
};

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

const installed = (name: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${name}`]);
    return true;
  } catch {
    return false;
  }
};

/** @param configure writes files to a folder. @returns the command that stays in the foreground */
const proxy =
  (entry: string, name: string, configure: (folder: string, port: number, to: number) => string[]) =>
  async (): Promise<Server | undefined> => {
    const [program = ""] = name.split(" ");
    if (!installed(program.toLowerCase())) return undefined;
    const { child, port: behind } = await started(entry, "plain");
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), "bench-tls-"));
    const command = configure(folder, port, behind);
    const front = spawn(command[0] as string, command.slice(1), { stdio: "ignore" });
    const stop = () => {
      front.kill();
      child.kill();
      rmSync(folder, { recursive: true, force: true });
    };
    if (!(await reachable(port))) {
      stop();
      process.stderr.write(`bench-tls: skipped ${name}: it does not start\n`);
      return undefined;
    }
    return { name, osPid: front.pid as number, port, stop };
  };

async function reachable(port: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, "127.0.0.1");
    const up = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "close").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (up) return true;
    await sleep(50);
  }
  return false;
}

function nginx(folder: string, port: number, to: number): string[] {
  const file = join(folder, "nginx.conf");
  writeFileSync(
    file,
    `${streamModule()}daemon off; master_process off; pid ${folder}/pid; error_log /dev/null;
events { worker_connections 8000; }
stream { server { listen 127.0.0.1:${port} ssl; ssl_certificate ${CERT}; ssl_certificate_key ${KEY};
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:s:1m; proxy_pass 127.0.0.1:${to}; tcp_nodelay on; } }`,
  );
  return ["nginx", "-c", file];
}

/** Debian's nginx has it in a file of its own. */
function streamModule(): string {
  const file = "/usr/lib/nginx/modules/ngx_stream_module.so";
  return existsSync(file) ? `load_module ${file}; ` : "";
}

function haproxy(folder: string, port: number, to: number): string[] {
  const pem = join(folder, "both.pem");
  writeFileSync(pem, readFileSync(CERT, "utf8") + readFileSync(KEY, "utf8"), { mode: 0o600 });
  const file = join(folder, "haproxy.cfg");
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 5000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen tls
  bind 127.0.0.1:${port} ssl crt ${pem}
  server drover 127.0.0.1:${to}
`,
  );
  return ["haproxy", "-db", "-f", file];
}

/** A server of another runtime: a command with port, certificate and key as its last arguments. */
async function foreign(name: string, command: readonly string[], env = {}): Promise<Server | undefined> {
  const port = await freePort();
  const args = [...command.slice(1), String(port), CERT, KEY];
  const child = spawn(command[0] as string, args, { stdio: "ignore", env: { ...process.env, ...env } });
  const stop = () => void child.kill();
  if (await reachable(port)) return { name, osPid: child.pid as number, port, stop };
  stop();
  return undefined;
}

async function go(): Promise<Server | undefined> {
  if (!installed("go")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "bench-tls-"));
  const program = join(folder, "peer");
  execFileSync("go", ["build", "-o", program, join(process.cwd(), "scripts/bench/tls/peer.go")]);
  const server = await foreign("Go", [program], { GOMAXPROCS: "1" });
  rmSync(folder, { recursive: true, force: true });
  return server;
}

/** Where the environment variable BUN names its binary. */
async function bun(): Promise<Server | undefined> {
  const { BUN } = process.env;
  return BUN ? foreign("Bun", [BUN, join(process.cwd(), "scripts/bench/tls/peer-bun.js")]) : undefined;
}

const erlang = async (): Promise<Server | undefined> => {
  if (!installed("erl")) return undefined;
  const port = await freePort();
  const code = `ssl:start(), {ok,L}=ssl:listen(${port},[{ip,{127,0,0,1}},{certfile,"${CERT}"},{keyfile,"${KEY}"},{active,false},{packet,2},binary,{nodelay,true},{reuseaddr,true},{backlog,1024}]), E=fun F(S)->case ssl:recv(S,0) of {ok,B}->ssl:send(S,B),F(S);_->ssl:close(S) end end, A=fun A()->{ok,T}=ssl:transport_accept(L),P=spawn(fun()->receive go->case ssl:handshake(T) of {ok,S}->E(S);_->ok end end end),ssl:controlling_process(T,P),P!go,A() end, A().`;
  const child = spawn("erl", ["-noshell", "+S", "1", "-eval", code], { stdio: "ignore" });
  const stop = () => void child.kill();
  if (!(await reachable(port))) {
    stop();
    return undefined;
  }
  return { name: "Erlang ssl", osPid: child.pid as number, port, stop };
};

/** node's tls first: the others are compared with it. */
export function contestants(entry: string): (() => Promise<Server | undefined>)[] {
  return [
    own(entry, "node tls, no framing", "tls"),
    own(entry, "drover", "handle"),
    own(entry, "drover stream", "stream"),
    proxy(entry, "nginx (its part)", nginx),
    proxy(entry, "HAProxy (its part)", haproxy),
    erlang,
    go,
    bun,
  ];
}
