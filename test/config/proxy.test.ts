/** PROXY headers of a listener: `--proxy-from`, and `proxy` in a file. */
import { describe, expect, it } from "vitest";
import { fileRefusal, load, loadFile, refusal } from "./support.js";

const listener = (proxy: string) =>
  `{ "listeners": [{ "name": "devices", "protocol": "echo", "port": 2222, "proxy": ${proxy} }] }`;

describe("--proxy-from", () => {
  it("is for the listener main: networks, addresses and unix, with commas in between", async () => {
    const { config, warnings } = await load({ argv: ["--proxy-from=10.0.0.0/8,fd00::1,unix"] });
    expect(config.listeners[0]?.proxy).toEqual({ from: ["10.0.0.0/8", "fd00::1", "unix"] });
    expect(warnings).toEqual([]);
    expect((await load()).config.listeners[0]?.proxy).toBeUndefined();
  });

  it.each(["10.0.0.0/33", "10.0.0.0/8,", "proxy.example", "10.0.0.0/8, ::1"])(
    "%s is refused",
    async (value) => {
      expect(await refusal({ argv: [`--proxy-from=${value}`] })).toEqual([
        64,
        `--proxy-from: expected networks such as 10.0.0.0/8, addresses, or unix, got ${JSON.stringify(value)}`,
      ]);
    },
  );

  it("warns of a network that holds every address", async () => {
    const { warnings } = await load({ argv: ["--proxy-from=0.0.0.0/0"] });
    expect(warnings).toEqual([
      "listener main: a PROXY header is believed from 0.0.0.0/0, so every client that reaches it chooses its own address: name the networks of the proxies",
    ]);
  });
});

describe("proxy in a file", () => {
  it("has the networks of the proxies", async () => {
    const { config } = await loadFile("acme.json", listener('{ "from": ["10.0.0.0/8", "unix"] }'));
    expect(config.listeners[0]?.proxy).toEqual({ from: ["10.0.0.0/8", "unix"] });
  });

  it.each([
    ["{}", 'proxy: needs from: the networks of the proxies, such as ["10.0.0.0/8"]'],
    ["true", "proxy: expected an object, got true"],
    ['{ "from": [] }', "proxy.from: expected networks such as 10.0.0.0/8, addresses, or unix, got an array"],
    [
      '{ "from": ["unix", "10.0.0.0/33"] }',
      'proxy.from: expected networks such as 10.0.0.0/8, addresses, or unix, got "10.0.0.0/33" among them',
    ],
    ['{ "form": ["unix"] }', 'proxy.form: unknown key "form": did you mean from?'],
  ])("%s is refused by its place", async (proxy, message) => {
    expect(await fileRefusal("acme.json", listener(proxy))).toMatch(
      new RegExp(`^acme\\.json:1:\\d+: listeners\\[0\\]\\.${message.replace(/[[\].?/]/g, "\\$&")}$`),
    );
  });
});
