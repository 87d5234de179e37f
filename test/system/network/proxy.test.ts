/** PROXY headers in the built program: three listeners, two of them behind a proxy, one of these on a UNIX socket. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeProxyHeader } from "../../../src/index.js";
import { http, metricsNow, series } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";
import { eventually } from "../../support/until.js";

const HEADER = encodeProxyHeader({
  source: { address: "192.0.2.7", port: 51_234 },
  destination: { address: "198.51.100.1", port: 443 },
  authority: "a.example",
});

let [plain, behind, adminPort] = [0, 0, 0];
let program: Program;
beforeAll(async () => {
  [plain, behind, adminPort] = [await freePort(), await freePort(), await freePort()];
  const from = (...networks: string[]) => ({ protocol: "echo", proxy: { from: networks } });
  const config = {
    ...{ workers: 2, adminPort, logFormat: "json", logLevel: "debug" },
    listeners: [
      { name: "plain", protocol: "echo", host: "127.0.0.1", port: plain },
      { name: "behind", host: "127.0.0.1", port: behind, ...from("127.0.0.1", "0.0.0.0/0") },
      { name: "local", path: "x.sock", ...from("unix") },
    ],
  };
  program = new Program(["start", "--config=acme.json"], { files: { "acme.json": JSON.stringify(config) } });
  await program.line((line) => / serves /.test(line.msg ?? ""));
});
afterAll(endAll);

const rows = async (listener: string) =>
  JSON.parse((await http(adminPort, `/connections?listener=${listener}`)).body).rows;

test("the lists, the tree and the log have the client and the proxy", async () => {
  const client = await Client.connect(behind);
  const via = `127.0.0.1:${client.socket.localPort}`;
  expect(await client.write(HEADER).send("hello").receive()).toEqual(["hello"]);
  expect(await rows("behind")).toMatchObject([{ peer: "192.0.2.7:51234", via, state: expect.any(String) }]);
  expect((await http(adminPort, "/tree")).body).toContain(`192.0.2.7:51234 via ${via}`);
  const [{ pid }] = await rows("behind");
  const info = JSON.parse((await http(adminPort, `/info/${encodeURIComponent(pid)}`)).body);
  expect(info).toMatchObject({
    peer: "192.0.2.7:51234",
    via,
    proxy: 'version 2, tcp4, authority "a.example"',
  });
  await client.close();
  const closed = await program.line(({ msg, via: proxy }) => msg === "connection closed" && proxy === via);
  expect(closed).toMatchObject({ peer: "192.0.2.7:51234", counted: "closed" });
});

test("over a UNIX socket", async () => {
  const client = await Client.connectTo(join(program.dir, "x.sock"));
  expect(await client.write(HEADER).send("hello").receive()).toEqual(["hello"]);
  expect(await rows("local")).toMatchObject([{ peer: "192.0.2.7:51234", via: join(program.dir, "x.sock") }]);
  await client.close();
});

test("a header on the plain listener, and none on the other: one line each, counted by listener", async () => {
  await (await Client.connect(plain)).write(HEADER).finish().end();
  await (await Client.connect(behind)).write("hello").end();
  const said = (listener: string) =>
    program.line((line) => line.level === "warn" && line.listener === listener).then(({ msg }) => msg);
  expect(await said("plain")).toMatch(
    /^connection from 127\.0\.0\.1:\d+ to listener plain closed: .*; it begins like a PROXY header \(version 2\), which this listener does not expect: set proxy\.from/,
  );
  expect(await said("behind")).toMatch(
    /^connection from .* to listener behind closed: expected a PROXY header/,
  );
  const count = (listener: string, reason: string) => async () => {
    const body = await metricsNow(adminPort);
    return series(body, "drover_connections_closed_total", { listener, reason }) === 1;
  };
  await eventually(count("plain", "truncated"));
  await eventually(count("behind", "proxy_error"));
});

test("a network of all addresses is warned about at the start", () => {
  expect(program.lines.map(({ msg }) => msg)).toContainEqual(
    expect.stringMatching(/^listener behind: a PROXY header is believed from 0\.0\.0\.0\/0, so every client/),
  );
});
