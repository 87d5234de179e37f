/** Which test answers which bad input: the list of what the admin server must survive, by its ids. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/** By id: what is sent, and the beginnings of the titles of the tests, each with its file below test/. */
const FAULTS: Readonly<Record<string, readonly [input: string, ...tests: [file: string, title: string][]]>> =
  {
    B50: [
      "no, a short or a wrong token; guessing; the token in answers and logs",
      ["admin/guard.test.ts", "is 401 with the same answer whether the token is missing, short, wrong"],
      ["admin/token.test.ts", "locks the address out for a minute after five wrong tokens"],
      ["admin/token.test.ts", "no answer and no error repeats it"],
      ["system/operate/token.test.ts", "is nowhere to be read but on the control socket"],
    ],
    B51: [
      "an address that others reach, without a token",
      ["admin/guard.test.ts", "on %s without a token is refused with exit code 78"],
      ["system/operate/token.test.ts", "a start that others could reach is refused without a token"],
    ],
    B52: [
      "GET of a route that changes something",
      ["admin/hostile.test.ts", "%s of a route that changes something changes nothing"],
    ],
    B53: [
      "a POST from another site, a form, DNS rebinding",
      ["admin/guard.test.ts", "is 403 with %s, even with the token"],
      ["admin/requests.test.ts", "a POST of content-type %j is 415"],
      ["admin/guard.test.ts", "%j is refused by a server on loopback"],
    ],
    B54: [
      "slow, huge, many or contradictory headers, chunk extensions, pipelining, Expect, many connections",
      ["admin/requests.test.ts", "headers that do not end are cut off"],
      ["admin/requests.test.ts", "a body that does not come is cut off"],
      ["admin/hostile.test.ts", "a header of 1 MiB is 431"],
      ["admin/hostile.test.ts", "ten thousand headers are 431"],
      ["admin/requests.test.ts", "%s is refused and closed"],
      ["admin/hostile.test.ts", "chunks with extensions without end are refused and closed"],
      ["admin/requests.test.ts", "of ten thousand requests in one write a thousand are answered"],
      ["admin/hostile.test.ts", "an expectation that cannot be met is 417"],
      ["admin/requests.test.ts", "at the limit, a new connection is closed"],
    ],
    B55: [
      "odd paths, long URLs, unknown methods, many of them",
      ["admin/hostile.test.ts", "the path %s is %d"],
      [
        "admin/hostile.test.ts",
        "unknown paths and methods without end make no answer larger and no new series",
      ],
    ],
    B56: [
      "markup as the name of a client",
      ["admin/hostile.test.ts", "what a client calls itself comes out as JSON"],
      ["admin/requests.test.ts", "every answer carries the strict headers, errors included"],
    ],
    B57: [
      "many viewers, and one that does not read",
      ["admin/streams.test.ts", "of a hundred viewers sixteen are served"],
      ["admin/streams.test.ts", "a viewer that does not read is dropped, and the others go on"],
    ],
    B58: [
      "__proto__, 10 MB, a wrong type or an unknown key as a body",
      ["admin/requests.test.ts", "the body %s is refused: %s"],
      ["admin/requests.test.ts", "a body of more than 64 KiB is 413, declared or not"],
    ],
    B59: [
      "ids that are none",
      ["admin/hostile.test.ts", "no process is killed by the id %j"],
      ["admin/views.test.ts", "?%s is refused"],
    ],
    B60: [
      "labels with quotes and line ends, too many series",
      [
        "admin/scrapes.test.ts",
        "a label with a quote, a backslash, a line end or any script comes out as one label",
      ],
    ],
    B61: [
      "debuggers and dumps",
      ["admin/hostile.test.ts", "%s is not there"],
      ["system/operate/token.test.ts", "SIGUSR1 opens no inspector, in no OS process of the program"],
    ],
    F86: [
      "a flood of scrapes",
      ["admin/scrapes.test.ts", "scrapes at the same time share one rendering"],
      [
        "admin/scrapes.test.ts",
        "all scrapes of one second get the same text, on the TCP port and the control socket",
      ],
    ],
  };

it.each(Object.entries(FAULTS))("%s has its tests", (_id, [, ...tests]) => {
  for (const [file, title] of tests) {
    expect(readFileSync(join(import.meta.dirname, "..", file), "utf8"), file).toContain(`"${title}`);
  }
});
