import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findClient } from "../../../src/exchange/nats/client-package.js";
import { EventLimit } from "../../../src/exchange/nats/event-limit.js";
import { troubleEvent } from "../../../src/exchange/nats/trouble.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";

const failure = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

it.each([
  [
    failure("PermissionViolationError", "Permissions Violation", {
      operation: "publish",
      subject: "drover.p.all",
    }),
    "nats_permission_denied",
    "denies to publish on drover.p.all: allow publish and subscribe on drover.p.> for this user",
  ],
  [
    failure("PermissionViolationError", "Permissions Violation", {
      operation: "publish",
      subject: "_INBOX.1V4GC5I7RJFJAFBKCO49OB.1V4GC5I7RJFJAFBKCO49HW",
    }),
    "nats_permission_denied",
    "denies answers to other NATS clients: set allow_responses for this user, or allow publish on _INBOX.>",
  ],
  [failure("AuthorizationError", "Authorization Violation"), "nats_auth_rejected", "rejects the credentials"],
  [
    failure("Error", "self-signed certificate", { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }),
    "nats_tls",
    "check --nats-ca",
  ],
  [failure("ConnectionError", "server does not support 'tls'"), "nats_tls", "has no TLS"],
  [failure("Error", "unexpected response from server"), "nats_unreachable", "does not speak NATS"],
  [
    new Error("refused", { cause: failure("Error", "x", { code: "ECONNREFUSED" }) }),
    "nats_unreachable",
    "cannot be reached: connection refused",
  ],
  [failure("TimeoutError", "timeout"), "nats_unreachable", "no answer in time"],
  [undefined, "nats_unreachable", "connection closed"],
])("%s", (error, event, text) => {
  const found = troubleEvent(error, "nats://n1", "drover.p");
  expect(found.event).toBe(event);
  expect(found.text).toMatch(/^NATS nats:\/\/n1 /);
  expect(found.text).toContain(text);
});

it("one event comes once a minute", () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const limit = new EventLimit();
  const event = { level: "warn", event: "nats_down", text: "a" } as const;
  expect([limit.allows(event), limit.allows(event), limit.allows({ ...event, text: "b" })]).toEqual([
    true,
    false,
    true,
  ]);
  void clock.advance(60_000);
});

/** A folder with a package of this version. */
function folderWithClient(version: string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "drover-test-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const home = join(folder, "node_modules/@nats-io/transport-node");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ version, main: "index.js" }));
  writeFileSync(join(home, "index.js"), "");
  return folder;
}

it("the client is looked for beside the protocol first, then beside drover", () => {
  const folder = folderWithClient("3.9.0");
  mkdirSync(join(folder, "src"));
  expect(findClient([join(folder, "src")])).toBe(
    join(folder, "node_modules/@nats-io/transport-node/index.js"),
  );
  expect(findClient([tmpdir()])).toMatch(/@nats-io\/transport-node\/index\.js$/);
});

it("a client of another major version is refused", () => {
  expect(() => findClient([folderWithClient("4.0.0")])).toThrow(
    /is version 4\.0\.0, and version 3 is needed: npm install @nats-io\/transport-node@3/,
  );
});
