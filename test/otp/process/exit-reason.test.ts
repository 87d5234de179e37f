import { describe, expect, it } from "vitest";
import {
  type ExitReason,
  errorPart,
  formatReason,
  formatTerm,
  isNormal,
  isShutdownTuple,
  ProcessExit,
  reasonOf,
} from "../../../src/otp/process/exit-reason.js";

describe("isNormal", () => {
  it.each<[ExitReason, boolean]>([
    ["normal", true],
    ["shutdown", true],
    [{ shutdown: "idle" }, true],
    [{ shutdown: undefined }, true],
    ["kill", false],
    ["killed", false],
    ["noproc", false],
    ["idle", false],
    [{ other: "shutdown" }, false],
    [new Error("shutdown"), false],
    [Object.assign(new Error("x"), { shutdown: true }), false],
  ])("%j is a normal end: %s", (reason, normal) => {
    expect(isNormal(reason)).toBe(normal);
  });

  it("knows {shutdown, _} from the word shutdown", () => {
    expect(isShutdownTuple({ shutdown: 1 })).toBe(true);
    expect(isShutdownTuple("shutdown")).toBe(false);
  });
});

describe("reasonOf", () => {
  it("keeps words, objects and errors as they were thrown", () => {
    const error = new TypeError("x");
    const tuple = { badmatch: 1 };
    expect(reasonOf("badarg")).toBe("badarg");
    expect(reasonOf(error)).toBe(error);
    expect(reasonOf(tuple)).toBe(tuple);
  });

  it("unpacks the reason of a ProcessExit", () => {
    expect(reasonOf(new ProcessExit("noproc"))).toBe("noproc");
  });

  it.each([undefined, null, 7, true, Symbol("s")])("makes an Error of %s", (thrown) => {
    expect(reasonOf(thrown)).toBeInstanceOf(Error);
    expect((reasonOf(thrown) as Error).message).toBe(`thrown: ${String(thrown)}`);
  });
});

describe("formatReason", () => {
  it.each<[unknown, string]>([
    ["killed", "killed"],
    [{ shutdown: "idle" }, "{shutdown,idle}"],
    [
      { shutdown: { failed_to_start_child: "b", reason: "noproc" } },
      "{shutdown,{failed_to_start_child,b,noproc}}",
    ],
    ["Not an atom", "'Not an atom'"],
    ["it's", "'it\\'s'"],
    [undefined, "undefined"],
    [42, "42"],
    [new RangeError("too far"), "RangeError: too far"],
    [new ProcessExit({ shutdown: "x" }), "{shutdown,x}"],
    [{ shutdown: new Error("deep") }, "{shutdown,'Error: deep'}"],
    [{ a: { b: [1, "two"] } }, "{a,{b,{1,two}}}"],
    [{ reason: "x", code: 7 }, "{reason,x,code,7}"],
  ])("prints %j as Erlang does", (reason, printed) => {
    expect(formatReason(reason)).toBe(printed);
  });

  it("prints what is no plain object by its own toString", () => {
    expect(
      formatTerm(
        new (class X {
          toString = () => "<0.7>";
        })(),
      ),
    ).toBe("<0.7>");
  });
});

describe("what cannot be read", () => {
  const throwing = (target: object, key: string) =>
    Object.defineProperty(target, key, {
      enumerable: true,
      get: () => {
        throw new Error("not for you");
      },
    });

  it("is printed as far as it can be", () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const reason of [circular, throwing({}, "why"), revoked.proxy])
      expect(formatReason(reason)).toBe("unprintable");
    expect(formatReason(throwing(new RangeError("far"), "message"))).toBe("RangeError: unprintable");
    expect(formatReason(throwing(new RangeError("far"), "name"))).toBe("unprintable: far");
  });

  it("is not asked: no getter of an error and no Proxy runs its code", () => {
    let calls = 0;
    const get = () => calls++;
    const trap = new Proxy({}, { get: () => get });
    const proxied = new Proxy(new Error("x"), trap);
    for (const thrown of [proxied, Object.create(proxied), Object.setPrototypeOf(new Error("x"), proxied)]) {
      expect(reasonOf(thrown)).toEqual(new Error("thrown: an object that cannot be read"));
      expect(formatReason(thrown)).toBe("unprintable");
    }
    for (const key of ["name", "message", "stack"]) {
      const error = Object.defineProperty(new Error("x"), key, { get });
      expect(errorPart(error, "stack")).toBe("unprintable");
      expect(formatReason(reasonOf(error))).toBe(
        key === "name" ? "unprintable: x" : key === "message" ? "Error: unprintable" : "Error: x",
      );
    }
    expect(calls).toBe(0);
  });

  it("is a text, a number or a function whose text is very long: only its length is printed, if that", () => {
    const long = "x".repeat(1_000_001);
    expect(formatReason(long)).toBe("'a text of 1000001 characters'");
    expect(formatReason(new RangeError(long))).toBe("RangeError: a text of 1000001 characters");
    expect(formatReason(new String(long))).toBe("a boxed value");
    expect(formatReason(10n ** 400n)).toBe("a bigint");
    expect(formatReason(Symbol(long))).toBe("a symbol");
    expect(formatReason(() => long)).toBe("a function");
  });

  it("is an error when it is thrown: an exit reason can be read", () => {
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    for (const thrown of [throwing({}, "shutdown"), revoked.proxy])
      expect(reasonOf(thrown)).toEqual(new Error("thrown: an object that cannot be read"));
  });
});

describe("a term of any size", () => {
  it("is cut while it is made", () => {
    const many = Array.from({ length: 200_000 }, (_, n) => ({ n }));
    const big = "x".repeat(200_000);
    for (const value of [many, { many }, big, { big }, new Error(big), [new Error(big), big], { [big]: 1 }]) {
      const text = formatReason(value);
      expect(text.length).toBeGreaterThan(9_000);
      expect(text.length).toBeLessThan(10_100);
    }
  });

  it("shows bytes by their number only", () => {
    expect(formatTerm([Buffer.alloc(7), new Float64Array(2)])).toBe(
      "{'Buffer of 7 bytes','Float64Array of 16 bytes'}",
    );
  });

  it("runs no getter and no proxy", () => {
    const ran: string[] = [];
    const getter = {
      a: 1,
      get b() {
        return ran.push("getter");
      },
    };
    const proxy = new Proxy(
      { a: 1 },
      {
        ownKeys: () => {
          ran.push("proxy");
          return [];
        },
      },
    );
    expect([formatReason(getter), formatReason({ proxy })]).toEqual(["unprintable", "unprintable"]);
    expect(reasonOf(getter)).toBe(getter);
    expect(reasonOf(proxy)).toEqual(new Error("thrown: an object that cannot be read"));
    expect(ran).toEqual([]);
  });
});

describe("ProcessExit", () => {
  it("says the reason, unless it is given better words", () => {
    expect(new ProcessExit("noproc").message).toBe("process exited: noproc");
    expect(new ProcessExit("noproc", "nobody there").message).toBe("nobody there");
  });
});
