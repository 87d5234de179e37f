import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Environment } from "../../src/config/config.js";
import { readNatsAccess } from "../../src/config/nats-access.js";
import { natsAddress } from "../../src/text/nats-url.js";
import { folderWith, load, refusal } from "./support.js";

const CREDS = "-----BEGIN NATS USER JWT-----\ne\n-----BEGIN USER NKEY SEED-----\nSU\n";

describe("URLs of NATS servers", () => {
  it.each([
    ["nats://n1", { host: "n1", port: 4222, tls: false }],
    ["nats://n1:80", { host: "n1", port: 80, tls: false }],
    ["tls://n1.example.org:4443/", { host: "n1.example.org", port: 4443, tls: true }],
    ["nats://[fd00::1]:5222", { host: "fd00::1", port: 5222, tls: false }],
    ["nats://[::1]", { host: "::1", port: 4222, tls: false }],
  ])("%s", (text, address) => {
    expect(natsAddress(text)).toEqual(address);
  });

  it.each([
    "",
    "n1:4222",
    "http://n1",
    "ws://n1",
    "nats://",
    "nats://n1:0",
    "nats://n1:65536",
    "nats://n1/x",
    "nats://n 1",
  ])("%j is refused", async (url) => {
    expect(natsAddress(url)).toBe(undefined);
    if (url !== "") expect((await refusal({ argv: ["--nats", url] }))[0]).toBe(64);
  });

  it.each([
    "nats://me:s3cret@n1",
    "nats://n1,tls://s3cret@n2:4222",
    "me:s3cret@n1:4222",
    "nats://a:b/s3cret@n1",
  ])("%s is refused and not quoted", async (url) => {
    for (const sources of [
      { argv: ["--nats", url] },
      { env: { DROVER_NATS: url } },
      { protocolDefaults: { nats: url.split(",") } },
    ]) {
      const [, message] = await refusal(sources);
      expect(message).toMatch(/credentials .*: use --nats-creds FILE, or DROVER_NATS_USER/);
      expect(message).not.toContain("s3cret");
    }
  });
});

describe("options of NATS", () => {
  it.each([
    [["--nats-creds=a"], "--nats-creds: needs --nats as well"],
    [["--nats-ca=a"], "--nats-ca: needs --nats as well"],
    [["--outside=on"], "--outside: needs --nats as well"],
    [["--nats=nats://n", "--nats-cert=a"], "--nats-cert: needs --nats-key as well"],
    [["--nats=nats://n", "--nats-key=a"], "--nats-key: needs --nats-cert as well"],
    [["--node-timeout=1s"], expect.stringContaining("1s is too short")],
  ])("%j is refused", async (argv, message) => {
    expect(await refusal({ argv })).toEqual([64, message]);
  });

  it("the cluster has the name of the server", async () => {
    expect((await load({ argv: ["--name=chat"] })).config.cluster).toBe("chat");
    expect((await load({ argv: ["--name=chat", "--cluster=prod"] })).config.cluster).toBe("prod");
  });
});

describe("credentials", () => {
  const none = {
    nats: ["nats://n"],
    natsCreds: undefined,
    natsCa: undefined,
    natsCert: undefined,
    natsKey: undefined,
  };

  it("come from the environment, and are in no option", async () => {
    const env = { DROVER_NATS_USER: "me", DROVER_NATS_PASSWORD: "s3cret" };
    const { config } = await load({ env, argv: ["--nats=nats://n"] });
    expect(JSON.stringify(config)).not.toContain("s3cret");
    expect(readNatsAccess(config, env)).toMatchObject({ user: "me", password: "s3cret", token: undefined });
    expect(readNatsAccess({ ...none, nats: undefined }, env)).toBe(undefined);
  });

  it.each<[Environment, string]>([
    [{ DROVER_NATS_USER: "me" }, "DROVER_NATS_USER needs DROVER_NATS_PASSWORD as well"],
    [{ DROVER_NATS_PASSWORD: "s3cret" }, "DROVER_NATS_PASSWORD needs DROVER_NATS_USER as well"],
    [{ DROVER_NATS_TOKEN: "" }, "DROVER_NATS_TOKEN is empty: set it, or unset it"],
    [
      { DROVER_NATS_USER: "me", DROVER_NATS_PASSWORD: "s3cret", DROVER_NATS_TOKEN: "s3cret" },
      "DROVER_NATS_USER and DROVER_NATS_TOKEN are both set: keep one of them",
    ],
  ])("%j is refused", (env, message) => {
    expect(() => readNatsAccess(none, env)).toThrow(message);
  });

  it("in a file are checked at the start", () => {
    const folder = folderWith({ "a.creds": CREDS, "b.creds": "s3cret" });
    expect(readNatsAccess({ ...none, natsCreds: `${folder}/a.creds` }, {})?.creds).toBe(`${folder}/a.creds`);
    expect(() => readNatsAccess({ ...none, natsCreds: `${folder}/c.creds` }, {})).toThrow(
      `--nats-creds: ${folder}/c.creds: no such file`,
    );
    expect(() => readNatsAccess({ ...none, natsCreds: `${folder}/b.creds` }, {})).toThrow(
      /expected a user's JWT/,
    );
    writeFileSync(`${folder}/ca.pem`, "");
    expect(() => readNatsAccess({ ...none, natsCa: `${folder}/none` }, {})).toThrow("--nats-ca");
  });
});
