// The client of the TLS benchmark, in an OS process of its own: node's tls.
import { connect, type TLSSocket } from "node:tls";

export type Load =
  | { kind: "echo"; size: number; inFlight: number; connections: number }
  | { kind: "handshake"; resume: boolean; connections: number }
  | { kind: "idle"; connections: number }
  | { kind: "close" };

export interface Answer {
  done: number;
  errors: number;
}

const held: TLSSocket[] = [];

function dial(port: number, session?: Buffer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port,
      host: "127.0.0.1",
      servername: "localhost",
      rejectUnauthorized: false,
      session,
    });
    socket.setNoDelay(true);
    socket.once("secureConnect", () => resolve(socket)).once("error", reject);
  });
}

async function echo(
  { size, inFlight, connections }: Extract<Load, { kind: "echo" }>,
  port: number,
  ms: number,
) {
  const frame = Buffer.alloc(size + 2, "x");
  frame.writeUInt16BE(size);
  const answer = { done: 0, errors: 0 };
  let running = true;
  const sockets = await Promise.all(Array.from({ length: connections }, () => dial(port)));
  for (const socket of sockets) {
    let partial = 0;
    socket.on("error", () => answer.errors++);
    socket.on("data", (chunk: Buffer) => {
      const frames = Math.floor((partial += chunk.length) / frame.length);
      partial -= frames * frame.length;
      answer.done += frames;
      if (running && frames > 0)
        socket.write(frames === 1 ? frame : Buffer.concat(Array(frames).fill(frame)));
    });
    socket.write(Buffer.concat(Array(inFlight).fill(frame)));
  }
  await new Promise((resolve) => setTimeout(resolve, ms));
  running = false;
  const { done, errors } = answer;
  for (const socket of sockets) socket.destroy();
  return { done, errors };
}

/** Connects, exchanges one frame, closes: again and again. */
async function handshakes(
  { resume, connections }: Extract<Load, { kind: "handshake" }>,
  port: number,
  ms: number,
) {
  const answer = { done: 0, errors: 0 };
  const end = performance.now() + ms;
  const frame = Buffer.from([0, 1, 0x78]);
  const one = async () => {
    let session: Buffer | undefined;
    while (performance.now() < end) {
      const socket = await dial(port, session);
      if (resume && session && !socket.isSessionReused()) answer.errors++;
      if (resume) socket.on("session", (made: Buffer) => (session = made));
      await new Promise<void>((resolve) => {
        socket.once("data", () => resolve()).once("close", () => resolve());
        socket.write(frame);
      });
      socket.destroy();
      answer.done++;
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return answer;
}

async function idle(connections: number, port: number): Promise<Answer> {
  for (let n = 0; n < connections; n += 20)
    held.push(...(await Promise.all(Array.from({ length: 20 }, () => dial(port)))));
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { done: connections, errors: 0 };
}

async function run(load: Load, port: number, ms: number): Promise<Answer> {
  if (load.kind === "echo") return echo(load, port, ms);
  if (load.kind === "handshake") return handshakes(load, port, ms);
  if (load.kind === "idle") return idle(load.connections, port);
  for (const socket of held.splice(0)) socket.destroy();
  return { done: 0, errors: 0 };
}

export function runClient(): void {
  process.on("message", ({ port, load, ms }: { port: number; load: Load; ms: number }) => {
    run(load, port, ms).then(
      (answer) => process.send?.(answer),
      (error: Error) => {
        process.stderr.write(`bench-tls: ${error.message}\n`);
        process.send?.({ done: 1, errors: 1 });
      },
    );
  });
}
