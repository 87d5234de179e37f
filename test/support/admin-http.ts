/** Requests to the admin server over TCP, and the reading of its metrics. */
import { request } from "node:http";
import { eventually } from "./until.js";

/** A request to the admin server over TCP. */
export function http(
  port: number,
  path: string,
  init: { method?: string; body?: string } = {},
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = init.body === undefined ? {} : { "content-type": "application/json" };
    const asked = request(
      { host: "127.0.0.1", port, path, method: init.method ?? "GET", headers, agent: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      },
    );
    asked.once("error", reject).end(init.body);
  });
}

/** The value of one series, or the sum of those that fit the labels; `undefined` when there is none. */
export function series(
  text: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  let sum: number | undefined;
  for (const line of text.split("\n")) {
    const match = /^([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!match || match[1] !== name) continue;
    if (!Object.entries(labels).every(([key, value]) => match[2]?.includes(`${key}="${value}"`))) continue;
    sum = (sum ?? 0) + Number(match[3]);
  }
  return sum;
}

/** As `series`, of the metrics that the admin server has now. */
export async function metric(
  port: number,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return series((await http(port, "/metrics")).body, name, labels);
}

/** The metrics with the numbers of this moment, of all running workers: asked again where one has not answered. */
export function metricsNow(port: number): Promise<string> {
  return eventually(async () => {
    const { body } = await http(port, "/metrics/now");
    return !body.includes("has not answered within") && body;
  });
}

/** As `metric`, of this moment. */
export async function metricNow(
  port: number,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  return series(await metricsNow(port), name, labels);
}
