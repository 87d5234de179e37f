import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { guard } from "../../src/telemetry/log/standard-streams.js";

const full = () => Object.assign(new Error("no space left on device"), { code: "ENOSPC", errno: -28 });

it("an error of a guarded stream is no exception", async () => {
  const stream = guard(new Writable({ write: (_chunk, _encoding, done) => done(full()) }));
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.write("lost");
  await closed;
  expect(stream.errored).toMatchObject({ code: "ENOSPC" });
});

it("a write that throws a system error, as to a file on a full disk, throws nothing and calls back", async () => {
  const stream = guard(
    Object.assign(new Writable(), {
      write: () => {
        throw full();
      },
    }),
  );
  expect(await new Promise((resolve) => stream.write("x", resolve))).toMatchObject({ code: "ENOSPC" });
});

it("a write of what cannot be written throws, as it did", () => {
  const stream = guard(new Writable({ write: (_chunk, _encoding, done) => done() }));
  expect(() => stream.write(7 as unknown as string)).toThrow(TypeError);
});
