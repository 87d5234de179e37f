/** TLS of a listener: the options `--tls-…`, and `tls` in a file. */
import { describe, expect, it } from "vitest";
import { Place } from "../../src/config/listeners/place.js";
import { describeTls, readTls } from "../../src/config/listeners/tls.js";
import { certificatePem } from "../support/certificates/certificates.js";
import { load, refusal } from "./support.js";

describe("the options --tls-…", () => {
  it("make the TLS of the listener main, with absolute paths", async () => {
    const argv = [
      "--tls-cert=a.crt",
      "--tls-key=b.key",
      "--tls-client-ca=ca.pem",
      "--tls-min-version=TLSv1.3",
    ];
    const { config } = await load({ cwd: "/srv", argv });
    expect(config.listeners[0]?.tls).toEqual({
      cert: "/srv/a.crt",
      key: "/srv/b.key",
      ca: "/srv/ca.pem",
      minVersion: "TLSv1.3",
    });
    expect((await load()).config.listeners[0]?.tls).toBeUndefined();
    const starttls = await load({ argv: ["--tls-cert=a.crt", "--tls-key=b.key", "--tls-start=by_protocol"] });
    expect(starttls.config.listeners[0]?.tls).toMatchObject({ start: "by_protocol" });
  });

  it.each([
    [["--tls-cert=a"], "--tls-cert: needs --tls-key as well"],
    [["--tls-key=a"], "--tls-key: needs --tls-cert as well"],
    [["--tls-client-ca=a"], "--tls-client-ca: needs --tls-cert as well"],
    [["--tls-start=by_protocol"], "--tls-start: needs --tls-cert as well"],
    [["--tls-min-version=TLSv1.3"], "--tls-min-version: needs --tls-cert as well"],
    [
      ["--tls-cert=a", "--tls-key=b", "--tls-min-version=TLSv1.1"],
      '--tls-min-version: expected one of TLSv1.2, TLSv1.3, got "TLSv1.1": did you mean TLSv1.2?',
    ],
  ])("%j is refused", async (argv, message) => {
    expect(await refusal({ argv })).toEqual([64, message]);
  });

  it("a private key in the place of its path is refused without a byte of it", async () => {
    const { key } = certificatePem("server");
    const env = { DROVER_TLS_CERT: "a", DROVER_TLS_KEY: key };
    expect(await refusal({ env })).toEqual([78, "DROVER_TLS_KEY: expected a path, got PEM text"]);
  });
});

describe("tls in a file", () => {
  const place = new Place("listeners[1].tls", {
    locate: (path) => `acme.json:7:20(${path.length})`,
    exitCode: 78,
    folder: "/etc/acme",
  });
  const read = (value: unknown) => readTls(value, place);
  const refused = (value: unknown) => {
    try {
      return read(value);
    } catch (error) {
      return (error as Error).message.replace(/^acme.json:7:20\(\d+\): /, "");
    }
  };

  it("has paths from the directory of the file, or PEM", () => {
    const { cert } = certificatePem("server");
    const more = [{ cert, key: "b.key", names: ["b.example", "*.c.example"] }];
    const start = "by_protocol";
    expect(
      read({ cert: "tls/a.crt", key: "/a.key", start, more, ca: Buffer.from(cert), alpn: ["resp"] }),
    ).toEqual({
      start,
      ...{ cert: "/etc/acme/tls/a.crt", key: "/a.key", ca: Buffer.from(cert), alpn: ["resp"] },
      more: [{ cert, key: "/etc/acme/b.key", names: ["b.example", "*.c.example"] }],
    });
  });

  it("is described without PEM", () => {
    const { cert, key } = certificatePem("server");
    const pair = { cert: "/a.crt", key: "/a.key" };
    expect(describeTls(pair)).toBe("cert /a.crt, key /a.key");
    expect(describeTls({ cert, key: Buffer.from(key), more: [pair], ca: "/ca.pem" })).toBe(
      "cert PEM text, key PEM text, 1 more, client certificates required",
    );
  });

  it("is refused with the place of the mistake", () => {
    const pair = { cert: "a", key: "b" };
    expect(refused({ cert: "a" })).toBe("listeners[1].tls: needs key: the file of the private key");
    expect(refused({ ...pair, more: [pair, { key: "b" }] })).toBe(
      "listeners[1].tls.more[1]: needs cert: the file of the certificate chain",
    );
    expect(refused({ ...pair, cert: 7 })).toBe(
      "listeners[1].tls.cert: expected the path of a PEM file, or PEM text, got 7",
    );
    expect(refused({ ...pair, clientCerts: "require" })).toBe(
      'listeners[1].tls.clientCerts: expected one of none, optional, required, got "require": did you mean required?',
    );
    expect(refused({ ...pair, clientCert: "required" })).toBe(
      'listeners[1].tls.clientCert: unknown key "clientCert": did you mean clientCerts?',
    );
    expect(refused({ ...pair, start: "later" })).toBe(
      'listeners[1].tls.start: expected one of at_once, by_protocol, got "later"',
    );
    expect(refused({ ...pair, strictNames: "yes" })).toBe(
      'listeners[1].tls.strictNames: expected true or false, got "yes"',
    );
    expect(refused({ ...pair, more: [{ ...pair, names: ["a b"] }] })).toBe(
      'listeners[1].tls.more[0].names[0]: expected a server name such as b.example or *.c.example, got "a b"',
    );
  });
});
