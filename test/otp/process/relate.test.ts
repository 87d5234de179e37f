/** Links and monitors by pid. */
import { expect, test } from "vitest";
import { DownMessage, demonitor, ExitMessage, link, monitor, Pid, unlink } from "../../../src/index.js";
import { register } from "../../../src/otp/process/registry.js";
import { settle } from "../../../src/otp/time/clock.js";
import { Listener } from "../support.js";

test("a link is in both directions, and an exit of one is a signal to the other", async () => {
  const [one, other] = [new Listener({ trapExit: true }), new Listener()];
  link(one.pid, other.pid);
  expect([one.links, other.links]).toEqual([[other.pid], [one.pid]]);
  other.quit("why");
  await settle();
  expect(one.got).toEqual([new ExitMessage(other.pid, "why")]);
});

test("a link to a process that has exited is the signal noproc", async () => {
  const [one, dead] = [new Listener({ trapExit: true }), new Listener()];
  dead.quit("normal");
  link(one.pid, dead.pid);
  await settle();
  expect(one.got).toEqual([new ExitMessage(dead.pid, "noproc")]);
});

test("after unlink the exit is no signal", async () => {
  const [one, other] = [new Listener({ trapExit: true }), new Listener()];
  link(one.pid, other.pid);
  unlink(other.pid, one.pid);
  other.quit("why");
  await settle();
  expect(one.got).toEqual([]);
});

test("a monitor, by pid or by name, is one message when the process exits", async () => {
  const [one, other] = [new Listener(), new Listener()];
  register("relate-other", other.pid);
  const refs = [monitor(one.pid, other.pid), monitor(one.pid, "relate-other")];
  other.quit("why");
  await settle();
  expect(one.got).toEqual(refs.map((ref) => new DownMessage(ref, other.pid, "why")));
});

test("after demonitor there is no message", async () => {
  const [one, other] = [new Listener(), new Listener()];
  demonitor(one.pid, monitor(one.pid, other.pid));
  other.quit("why");
  await settle();
  expect(one.got).toEqual([]);
});

test("a process of another OS process, and a name that is not registered, are refused", () => {
  const { pid } = new Listener();
  expect(() => link(pid, new Pid(7, 1))).toThrow("link: <7.1> lives in another OS process");
  expect(() => monitor(pid, new Pid(7, 1))).toThrow("monitor: <7.1> lives in another OS process");
  expect(() => monitor(pid, "relate-nobody")).toThrow('no process is registered as "relate-nobody"');
});
