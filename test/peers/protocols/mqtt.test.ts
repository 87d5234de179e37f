/** The example `mqtt` with real clients: mosquitto_pub, mosquitto_sub, and the npm package `mqtt`. */
import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { http, series } from "../../support/admin-http.js";
import { Client } from "../../support/client.js";
import { find, testWith, testWithPackage } from "../../support/peers.js";
import { endAll, serveProgram } from "../../support/program.js";
import { eventually, until } from "../../support/until.js";

const mosquitto = testWith("mosquitto_sub", "apt-get install mosquitto-clients");
const npm = testWithPackage("mqtt");
const exec = promisify(execFile);

let port: number;
let adminPort: number;
beforeAll(async () => {
  ({ port, adminPort } = await serveProgram(["mqtt", "--workers=1"]));
});
afterAll(endAll);

const where = () => ["-h", "127.0.0.1", "-p", String(port)];
const publish = (...args: string[]) =>
  exec(find("mosquitto_pub") as string, [...where(), ...args], { timeout: 30_000 });

/** A subscriber that has its acknowledgement, and what it prints. */
async function subscriber(...args: string[]) {
  // It would keep its lines back, into a pipe.
  const command = ["-oL", find("mosquitto_sub") as string, ...where(), "-d", "-F", "got %t %p %r", ...args];
  const child = spawn("stdbuf", command);
  let said = "";
  child.stdout.on("data", (text) => (said += text));
  await until(() => /^Subscribed/m.test(said));
  const lines = () => said.split("\n").filter((line) => line.startsWith("got "));
  return { child, lines };
}

mosquitto("mosquitto: wildcards, quality 0 and 1, retained messages, a will", async () => {
  const one = await subscriber("-q", "1", "-t", "home/+/light", "-t", "will/#", "-W", "60");
  await publish("-q", "1", "-t", "home/kitchen/light", "-m", "on", "-r");
  await publish("-q", "0", "-t", "home/hall/light", "-m", "off");
  await publish("-t", "home/hall/heat", "-m", "20");
  const dying = await subscriber("-t", "x", "--will-topic", "will/me", "--will-payload", "gone");
  dying.child.kill("SIGKILL");
  await until(() => one.lines().length === 3);
  expect(one.lines()).toEqual([
    "got home/kitchen/light on 0",
    "got home/hall/light off 0",
    "got will/me gone 0",
  ]);
  one.child.kill();
  const late = await subscriber("-t", "home/#", "-C", "1", "-W", "60");
  await until(() => late.lines().length === 1);
  expect(late.lines()).toEqual(["got home/kitchen/light on 1"]);
  await publish("-t", "home/kitchen/light", "-n", "-r");
});

npm.test(
  "the npm package mqtt: 500 messages of quality 1 in order, wildcards, retained, a will",
  async () => {
    const mqtt = npm.load();
    const url = `mqtt://127.0.0.1:${port}`;
    const [reader, writer, dying] = await Promise.all([
      mqtt.connectAsync(url, { reconnectPeriod: 0, keepalive: 5 }),
      mqtt.connectAsync(url, { reconnectPeriod: 0 }),
      mqtt.connectAsync(url, { reconnectPeriod: 0, will: { topic: "npm/will", payload: "gone", qos: 1 } }),
    ]);
    const got: string[] = [];
    reader.on("message", (topic: string, payload: Buffer) => got.push(`${topic} ${payload}`));
    await reader.subscribeAsync(["npm/#", "$SYS/#"], { qos: 1 });
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    await Promise.all(numbers.map((n) => writer.publishAsync(`npm/${n % 3}`, String(n), { qos: 1 })));
    await until(() => got.length === 500);
    expect(got).toEqual(numbers.map((n) => `npm/${n % 3} ${n}`));
    dying.stream.destroy();
    await until(() => got.length === 501);
    expect(got[500]).toBe("npm/will gone");
    const long = "x".repeat(200_000);
    await writer.publishAsync("npm/long", long, { qos: 1, retain: true });
    await until(() => got.length === 502);
    expect(got[501]).toBe(`npm/long ${long}`);
    await reader.unsubscribeAsync("npm/#");
    await Promise.all([reader.endAsync(), writer.endAsync()]);
  },
);

npm.test("a malformed packet is counted by what is wrong with it", async () => {
  const client = await Client.connect(port);
  await client.write(Buffer.from([0xf0, 0])).end();
  await eventually(async () => {
    const metrics = (await http(adminPort, "/metrics/now")).body;
    return series(metrics, "mqtt_malformed_total", { what: "type" }) === 1;
  });
});
