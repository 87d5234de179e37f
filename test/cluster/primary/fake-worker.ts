/** A worker with scripted answers, in its slot. */
import type { WorkerRequest } from "../../../src/cluster/channel/requests.js";
import type { WorkerProcess } from "../../../src/cluster/primary/workers/worker-process.js";
import {
  activeConnections,
  newSlot,
  type WorkerSlot,
} from "../../../src/cluster/primary/workers/worker-slot.js";
import { clock } from "../../../src/otp/time/clock.js";
import type { ListenerSnapshot, Snapshot } from "../../../src/telemetry/metrics/snapshot.js";

export class FakeWorker {
  state = "running";
  alive = true;
  unresponsive = false;
  osPid = 4121;
  heardAt = clock.now();
  readonly label: string;
  readonly asked: WorkerRequest[] = [];
  killedAfter: number | undefined = undefined;
  answer: (request: WorkerRequest) => unknown = () => undefined;

  readonly slot: WorkerSlot;

  constructor(slot: WorkerSlot) {
    this.slot = slot;
    this.label = `worker ${slot.slot}`;
    slot.process = this as unknown as WorkerProcess;
  }

  get condition(): string {
    return this.unresponsive && this.state === "running" ? "unresponsive" : this.state;
  }

  get silentMs(): number {
    return clock.now() - this.heardAt;
  }

  discountLag(ms: number): void {
    this.heardAt = Math.min(clock.now(), this.heardAt + ms);
  }

  killUnresponsive(ms: number): void {
    this.killedAfter ??= ms;
    this.state = "down";
  }

  async request(request: WorkerRequest): Promise<unknown> {
    this.asked.push(request);
    return this.answer(request);
  }

  /** A snapshot of a worker with one listener arrives. */
  sendSnapshot(active: number, listenerRunning: 0 | 1): void {
    this.sendSnapshots([{ active, listenerRunning }]);
  }

  /** A snapshot arrives. */
  sendSnapshots(listeners: readonly Partial<ListenerSnapshot["gauges"]>[], limitsApplied = 0): void {
    this.heardAt = clock.now();
    this.slot.last = {
      gauges: { limitsApplied, maxConnections: Infinity },
      listeners: listeners.map((gauges) => ({ gauges: { taken: gauges.active, ...gauges } })),
    } as unknown as Snapshot;
  }

  /** Connections in the last snapshot. */
  get active(): number {
    return activeConnections(this.slot);
  }
}

export function fakeWorkers(count: number): FakeWorker[] {
  return Array.from({ length: count }, (_, at) => new FakeWorker(newSlot(at + 1)));
}
