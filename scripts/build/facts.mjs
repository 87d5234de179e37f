// What the program must know of its built-in protocols before it starts, in dist/protocols/facts.json: found as it finds
// it of the user's protocols, by a trial of each in a thread of the built program.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

/** @param names of the modules in dist/protocols/, without extension */
export async function writeFacts(dist, names) {
  const all = await Promise.all(names.map(async (name) => [name, await factsOf(dist, name)]));
  const known = (_key, value) => (value === Infinity ? undefined : value);
  writeFileSync(join(dist, "protocols/facts.json"), `${JSON.stringify(Object.fromEntries(all), known)}\n`);
}

async function factsOf(dist, name) {
  const url = pathToFileURL(join(dist, `protocols/${name}.js`)).href;
  const workerData = { module: { url }, label: name, given: [[]] };
  const thread = new Worker(join(dist, "main.js"), { workerData });
  const [verdict] = await once(thread, "message");
  await thread.terminate();
  if ("wrong" in verdict) throw new Error(verdict.wrong);
  return verdict;
}
