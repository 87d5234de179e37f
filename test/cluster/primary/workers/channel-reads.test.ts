import { type ChildProcess, spawn } from "node:child_process";
import { expect, onTestFinished, test } from "vitest";
import { guardReads } from "../../../../src/cluster/primary/workers/channel-reads.js";

/** An OS process whose channel is like that of a worker. */
function start(code: string): ChildProcess {
  const child = spawn(process.execPath, ["-e", `${code}; setInterval(() => {}, 1000);`], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  onTestFinished(async () => {
    if (child.kill("SIGKILL")) await exited;
  });
  return child;
}

test("what cannot be deserialized is reported once, and the messages after it arrive", async () => {
  const child = start(`
    let deep = {};
    for (let depth = 0; depth < 3000; depth++) deep = { deep };
    for (const message of [deep, deep]) process.send(message);
    setInterval(() => process.send("after"), 50);`);
  const errors: unknown[] = [];
  guardReads(
    child,
    (error) => errors.push(error),
    () => {},
  );
  expect(await new Promise((resolve) => child.once("message", resolve))).toBe("after");
  expect(errors).toEqual([expect.any(Error)]);
});

test("a message is too large before it has arrived, and one of the allowed size is not", async () => {
  const child = start(`
    process.send(Buffer.alloc(50_000));
    process.once("message", () => process.send(Buffer.alloc(1_000_000)));`);
  let arrived = 0;
  child.on("message", () => arrived++ === 0 && child.send("go"));
  await new Promise<void>((resolve) => guardReads(child, () => {}, resolve, 100_000));
  expect(arrived).toBe(1);
});
