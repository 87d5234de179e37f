/** Reload of credentials, and the watch that asks for it. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ManualClock, useClock } from "../../src/otp/time/clock.js";
import { CredentialStore } from "../../src/tls/credentials/credential-store.js";
import { FileWatch, filesOf } from "../../src/tls/credentials/file-watch.js";
import {
  type CertificateName,
  certificateFile,
  certificateFiles,
} from "../support/certificates/certificates.js";
import { until } from "../support/until.js";

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "drover-reload-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function storeIn(folder: string, more: object = {}) {
  const files = { cert: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  const put = (name: CertificateName, which: ("cert" | "key")[] = ["cert", "key"]) => {
    for (const one of which) copyFileSync(certificateFiles(name)[one], files[one]);
  };
  put("server");
  const options = { ...files, ...more };
  const store = new CredentialStore([
    { name: "main", options, optionName: (name) => `tls.${name}` },
    { name: "other", options: certificateFiles("a.example"), optionName: (name) => `tls.${name}` },
  ]);
  return { ...files, put, store, served: () => store.get("main")?.credentials.pairs[0]?.cert };
}

function manualClock(): ManualClock {
  const clock = new ManualClock();
  onTestFinished(useClock(clock));
  return clock;
}

test("a reload reads all files, and replaces only what has changed", async () => {
  const { store, put, served } = storeIn(temporary());
  const [before, other] = [served(), store.get("other")];
  expect((await store.reload(false)).map(({ result }) => result)).toEqual(["unchanged", "unchanged"]);
  put("server-renewed");
  expect((await store.reload(false)).map(({ result }) => result)).toEqual(["reloaded", "unchanged"]);
  expect(served()).not.toBe(before);
  expect(store.get("other")).toBe(other);
  expect(store.get("plain")).toBeUndefined();
});

test("a bad file is refused with its reason, and the old one kept", async () => {
  const { store, served, cert } = storeIn(temporary());
  const before = served();
  writeFileSync(cert, "nothing");
  expect(await store.reload(false)).toMatchObject([
    { listener: "main", result: "refused", reason: expect.stringContaining(`tls.cert: ${cert}: not PEM`) },
    { listener: "other", result: "unchanged" },
  ]);
  expect(served()).toBe(before);
});

test("a pair that does not fit is tried again each second, 10 times", async () => {
  const clock = manualClock();
  const { store, put, served } = storeIn(temporary());
  const before = served();
  put("server-renewed", ["cert"]);
  const half = store.reload(false);
  await clock.advance(3_000);
  put("server-renewed", ["key"]);
  await clock.advance(1_000);
  expect((await half)[0]).toMatchObject({ result: "reloaded" });
  expect(served()).not.toBe(before);

  put("server", ["key"]);
  let refused: string | undefined;
  void store.reload(false).then(([main]) => {
    refused = main?.reason;
  });
  await clock.advance(9_999);
  expect(refused).toBeUndefined();
  await clock.advance(1);
  expect(refused).toContain("is not the key of the certificate");
});

test("after a change of the files every mistake is tried again: they may be half written", async () => {
  const clock = manualClock();
  const { store, put, cert } = storeIn(temporary());
  writeFileSync(cert, "-----BEGIN CERT");
  const reloaded = store.reload(true);
  await clock.advance(1_500);
  put("server-renewed");
  await clock.advance(500);
  expect((await reloaded)[0]).toMatchObject({ result: "reloaded" });
});

test("a reload on request does not wait for the retries of the watch", async () => {
  manualClock();
  const { store, cert } = storeIn(temporary());
  writeFileSync(cert, "nothing");
  const watched = store.reload(true);
  await Promise.resolve();
  const asked = store.reload(false);
  expect((await watched)[0]).toMatchObject({ result: "refused" });
  expect((await asked)[0]).toMatchObject({ result: "refused" });
});

test("the ticket keys are read again", async () => {
  const folder = temporary();
  const ticketKeys = join(folder, "tickets");
  writeFileSync(ticketKeys, Buffer.alloc(48, 1), { mode: 0o600 });
  const { store } = storeIn(folder, { ticketKeys });
  writeFileSync(ticketKeys, Buffer.alloc(96, 2));
  expect((await store.reload(false))[0]).toMatchObject({ result: "reloaded" });
  expect(store.get("main")?.ticketKeys).toEqual([Buffer.alloc(48, 2), Buffer.alloc(48, 2)]);
});

test("a mistake at the start is thrown", () => {
  const options = { ...certificateFiles("server"), key: certificateFile("a.example.key") };
  expect(() => new CredentialStore([{ name: "x", options, optionName: (name) => `--tls-${name}` }])).toThrow(
    /^--tls-key: .* is not the key of the certificate in \//,
  );
});

// -- the watch ----------------------------------------------------------------------------------------

function watching(files: readonly string[]) {
  let changes = 0;
  const watch = new FileWatch(files, () => changes++);
  watch.start();
  onTestFinished(() => watch.stop());
  return { watch, changes: () => changes };
}

test("the files of the options are those that are paths", () => {
  const options = {
    ...{ cert: "/a", key: "-----BEGIN PRIVATE KEY-----", ca: Buffer.from("x"), ticketKeys: "/t" },
    more: [{ cert: "/b", key: "/c", passphraseFile: "/p" }],
  };
  expect(filesOf(options).sort()).toEqual(["/a", "/b", "/c", "/p", "/t"]);
});

test("a file that is written, and one that another is renamed to, are noticed; their neighbours are not", async () => {
  const folder = temporary();
  const file = join(folder, "tls.crt");
  writeFileSync(file, "1");
  const { changes } = watching([file, join(folder, "absent")]);
  writeFileSync(join(folder, "neighbour"), "x");
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(changes()).toBe(0);
  writeFileSync(file, "22");
  await until(() => changes() === 1);
  writeFileSync(join(folder, "new"), "3");
  renameSync(join(folder, "new"), file);
  await until(() => changes() === 2);
});

test("a link that Kubernetes swaps is noticed", async () => {
  const folder = temporary();
  for (const version of ["..1", "..2"]) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "tls.crt"), version);
  }
  symlinkSync("..1", join(folder, "..data"));
  symlinkSync("..data/tls.crt", join(folder, "tls.crt"));
  const { changes } = watching([join(folder, "tls.crt")]);
  symlinkSync("..2", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await until(() => changes() === 1);
});

test("a directory that is made anew is watched again, at the latest after a minute", async () => {
  const clock = manualClock();
  const folder = join(temporary(), "certs");
  const file = join(folder, "tls.crt");
  mkdirSync(folder);
  writeFileSync(file, "1");
  const { changes } = watching([file]);
  rmSync(folder, { recursive: true });
  await clock.advance(60_000);
  expect(changes()).toBe(1);
  mkdirSync(folder);
  writeFileSync(file, "22");
  await clock.advance(60_000);
  expect(changes()).toBe(2);
});
