/** Certificates of the primary: what workers are sent, and when. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Certificates } from "../../../src/cluster/primary/certificates.js";
import { ManualClock, useClock } from "../../../src/otp/time/clock.js";
import { CredentialStore } from "../../../src/tls/credentials/credential-store.js";
import type { TlsUpdate } from "../../../src/tls/handshake/server-tls.js";
import { type CertificateName, certificateFiles } from "../../support/certificates/certificates.js";
import { until } from "../../support/until.js";

function served(ticketKeys?: string) {
  const folder = mkdtempSync(join(tmpdir(), "drover-certificates-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = { cert: join(folder, "a.crt"), key: join(folder, "a.key") };
  const put = (name: CertificateName) => {
    for (const which of ["cert", "key"] as const) copyFileSync(certificateFiles(name)[which], files[which]);
  };
  put("server");
  const optionName = (name: string) => `tls.${name}`;
  const store = new CredentialStore([
    { name: "main", options: { ...files, ticketKeys }, optionName },
    { name: "other", options: certificateFiles("a.example"), optionName },
  ]);
  const sent: [string, TlsUpdate][] = [];
  const results: string[] = [];
  const lines: string[] = [];
  const log = (message: string) => lines.push(message);
  const certificates = new Certificates(store, {
    log: { info: log, warn: () => {}, error: log },
    send: (listener, update) => sent.push([listener, update]),
    reloaded: (result) => results.push(result),
  });
  onTestFinished(() => certificates.stop());
  return { certificates, put, files, sent, results, lines };
}

test("a reload sends what has changed, and a worker that starts gets the newest", async () => {
  const { certificates, put, files, sent, results, lines } = served();
  const before = certificates.boot();
  put("server-renewed");
  expect(await certificates.reload("SIGHUP")).toMatchObject([
    { result: "reloaded" },
    { result: "unchanged" },
  ]);
  expect(sent.map(([listener]) => listener)).toEqual(["main"]);
  expect(certificates.boot().main).toEqual(sent[0]?.[1]);
  expect(certificates.boot().main?.credentials).not.toEqual(before.main?.credentials);
  expect(certificates.boot().other).toEqual(before.other);
  writeFileSync(files.key, "nothing");
  await certificates.reload("SIGHUP");
  expect(sent).toHaveLength(1);
  expect(results).toEqual(["reloaded", "unchanged", "refused", "unchanged"]);
  expect(lines).toEqual([
    "certificates of listener main reloaded (SIGHUP): new handshakes use them",
    expect.stringMatching(
      /^certificates of listener main not reloaded, the old ones stay: tls.key: .*: not PEM/,
    ),
  ]);
});

test("a change of the files is a reload", async () => {
  const { certificates, put, sent } = served();
  certificates.start();
  put("server-renewed");
  await until(() => sent.length === 1);
});

test("ticket keys are one set for all listeners, and sent at each rotation, unless they come from a file", async () => {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  const folder = mkdtempSync(join(tmpdir(), "drover-tickets-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "keys");
  writeFileSync(file, Buffer.alloc(48, 7));
  const { certificates, sent } = served(file);
  certificates.start();
  expect(certificates.boot().main?.ticketKeys).toEqual([Buffer.alloc(48, 7)]);
  expect(certificates.boot().other?.ticketKeys).toHaveLength(2);
  await clock.advance(12 * 3_600_000);
  expect(sent).toEqual([["other", { ticketKeys: certificates.boot().other?.ticketKeys }]]);
  expect(certificates.boot().other?.ticketKeys).toHaveLength(3);
});

test("says when each certificate ends", () => {
  const { certificates } = served();
  const left = (Date.parse("2119-12-31T23:59:59Z") - Date.now()) / 1000;
  expect(certificates.served).toEqual([
    { listener: "main", name: "localhost", secondsLeft: expect.closeTo(left, -1) },
    { listener: "other", name: "a.example", secondsLeft: expect.closeTo(left, -1) },
  ]);
});
