/** Signals to processes of other OS processes, and of other servers: where they go, and what cannot. */
import { afterEach, expect, test } from "vitest";
import type { SignalEnvelope } from "../../../src/cluster/channel/messages.js";
import { setSignalCarrier } from "../../../src/cluster/channel/remote-signals.js";
import { cast } from "../../../src/index.js";
import { Pid, RemotePid } from "../../../src/otp/process/pid.js";
import { exit, send, useCarrier } from "../../../src/otp/process/signals.js";

afterEach(() => useCarrier(undefined));

function sink() {
  const signals: SignalEnvelope[] = [];
  const messages: unknown[] = [];
  setSignalCarrier({
    drops: () => false,
    signal: (signal) => void signals.push(signal),
    sendToServer: (_to, message) => void messages.push(message),
  });
  return { signals, messages };
}

const elsewhere = new RemotePid(3, 17, "gw2");

test("a process of another server gets messages, but no casts and no exit signals: they are refused", () => {
  const { signals, messages } = sink();
  send(elsewhere, { op: "read" });
  expect(messages).toEqual([{ op: "read" }]);
  expect(() => exit(elsewhere, "bye")).toThrow("exit: <3.17@gw2> is a process of another server");
  expect(() => cast(elsewhere, "add", 1)).toThrow("cast: <3.17@gw2> is a process of another server");
  expect([signals, messages.length]).toEqual([[], 1]);
});

test("a message to another server that holds a pid is refused: there it would name another process", () => {
  const { signals, messages } = sink();
  const own = new Pid(7, 5);
  for (const message of [own, { reply: { to: own } }, [[own]], new Map([[1, elsewhere]])])
    expect(() => send(elsewhere, message)).toThrow(/^send: a message to <3\.17@gw2> must not hold a pid, /);
  expect(messages).toEqual([]);
  send(new Pid(8, 9), { reply: own });
  expect(signals).toMatchObject([{ to: [8, 9], kind: "send", pids: true }]);
});
