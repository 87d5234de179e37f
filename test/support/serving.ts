/** Servers, clients and clocks within this OS process; they end with the test. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { onTestFinished } from "vitest";
import { ManualClock, type ServeOptions, type Serving, serve, useClock, whereis } from "../../src/index.js";
import type { CrashReport } from "../../src/otp/events.js";
import { processOf } from "../../src/otp/process/process.js";
import { stopSupervisor } from "../../src/otp/supervisor/supervisor.js";
import { Endpoint } from "../../src/tcp/endpoint.js";
import type { Listener } from "../../src/tcp/listener/listener.js";
import { Loop } from "../../src/tcp/loop/loop.js";
import { CompiledProtocol } from "../../src/tcp/protocol/compiled/compiled-protocol.js";
import type { AnyProtocol } from "../../src/tcp/protocol/protocol.js";
import { type ServerOptions, startServer } from "../../src/tcp/server.js";
import { Client } from "./client.js";
import { until } from "./until.js";

class Scene {
  readonly clients: Client[] = [];
  readonly stops: (() => Promise<void>)[] = [];
  clock: ManualClock | undefined;
  restore: (() => void) | undefined;

  async end(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    let stopped = false;
    const all = Promise.all(this.stops.map((stop) => stop())).finally(() => {
      stopped = true;
    });
    while (this.clock && !stopped) await this.clock.advance(1_000);
    await all;
    this.restore?.();
  }
}

let scene: Scene | undefined;

function present(): Scene {
  if (scene) return scene;
  const begun = new Scene();
  scene = begun;
  onTestFinished(() => {
    scene = undefined;
    return begun.end();
  });
  return begun;
}

/** Replaces the clock by a manual one; sockets keep real time. Call it before `serving`. */
export function manualClock(start = 0): ManualClock {
  const mine = present();
  const clock = new ManualClock(start);
  mine.clock = clock;
  const restore = useClock(clock);
  // Of several in one test the first was set in place of the real one.
  mine.restore ??= restore;
  return clock;
}

/** Serves a protocol on a free port until the test ends. */
export async function serving(protocol: AnyProtocol, options: Partial<ServeOptions> = {}): Promise<Serving> {
  const mine = present();
  const transport = process.env.TRANSPORT as ServeOptions["transport"];
  const server = await serve(protocol, {
    ...(options.path === undefined && { port: 0 }),
    shutdown: "200ms",
    ...(transport && { transport }),
    ...options,
  });
  mine.stops.push(() => server.stop());
  return server;
}

let testServers = 0;

/** Starts a server like `serving`, and returns its internals: endpoint, counters, listener, supervisors. */
export async function testServer(protocol: AnyProtocol, options: Partial<ServerOptions> = {}) {
  const mine = present();
  const endpoint = options.endpoint ?? new Endpoint({ loop: new Loop() });
  const compiled = new CompiledProtocol(protocol, { latency: endpoint.latency });
  const prefix = `test${++testServers}.`;
  const root = await startServer({
    prefix,
    endpoint,
    protocol: compiled,
    acquire: async () => ({ host: "127.0.0.1", port: 0 }),
    renewable: false,
    maxConnections: 1000,
    shutdown: "200ms",
    ...options,
  });
  const listener = processOf(whereis(`${prefix}listener`)!) as Listener;
  const stop = () => stopSupervisor(root);
  mine.stops.push(stop);
  const connections = whereis(`${prefix}connections`)!;
  return {
    endpoint,
    protocol: compiled,
    counters: endpoint.counters,
    listener,
    connections,
    port: listener.address.port,
    root,
    stop,
  };
}

/** Connects a client that is closed with the test. */
export async function connected(server: { readonly port: number }): Promise<Client> {
  const client = await Client.connect(server.port);
  present().clients.push(client);
  return client;
}

/** Collects the crash reports until the test ends. */
export function crashes(): CrashReport[] {
  const seen: CrashReport[] = [];
  const note = (report: unknown) => void seen.push(report as CrashReport);
  subscribe("otp.crash", note);
  onTestFinished(() => void unsubscribe("otp.crash", note));
  return seen;
}

/** Waits until all connections are closed, and returns the counts by reason, without those that are 0. */
export async function closedAs(server: {
  readonly counters: Endpoint["counters"];
}): Promise<Record<string, number>> {
  const { counters } = server;
  await until(() => counters.accepted > 0 && counters.active === 0);
  if (counters.outbound !== 0) throw new Error(`${counters.outbound} bytes are still counted as waiting`);
  const closed = Object.entries(counters.closed).filter(([, count]) => count > 0);
  const sum = closed.reduce((total, [, count]) => total + count, 0);
  if (sum !== counters.accepted) throw new Error(`accepted ${counters.accepted}, closed ${sum}`);
  return Object.fromEntries(closed);
}
