/** Pure parts of chaos and soak: arguments, the sequence that a seed gives, oracles, trends. */
import { describe, expect, it } from "vitest";
import { commandOf, planOf } from "../../scripts/check/chaos/arguments.js";
import { FAULTS, sequence } from "../../scripts/check/chaos/faults/faults.js";
import { ScrapeCheck } from "../../scripts/check/chaos/scrape-check.js";
import { slownessOf } from "../../scripts/check/chaos/slowness.js";
import { kills } from "../../scripts/check/chaos/stampede.js";
import { Random } from "../../scripts/check/fuzz/random.js";
import { judge } from "../../scripts/check/soak/judge.js";
import { growth, type Sample, slope } from "../../scripts/check/soak/trend.js";

describe("arguments of chaos", () => {
  it("are a minute and a seed by chance, unless given", () => {
    expect(planOf([], 7)).toEqual({ seconds: 60, seed: 7, only: "", stampede: false });
    expect(planOf(["--seconds=5", "--seed=3", "--only=killed"], 7)).toEqual({
      ...{ seconds: 5, seed: 3, only: "killed", stampede: false },
    });
    expect(planOf(["--help"], 7)).toBeUndefined();
  });

  it.each([
    [["--seconds=0"], "--seconds takes a number above 0"],
    [["--seconds=soon"], "not soon"],
    [["--seed=1.5"], "--seed takes a whole number"],
    [["--only=rain"], 'no fault has "rain" in its name'],
    [["--only=killed", "--stampede"], "--only chooses among faults"],
    [["--fast"], "Unknown option '--fast'"],
  ])("%j are refused", (args, message) => {
    expect(() => planOf(args, 7)).toThrow(message);
  });

  it.each([
    [["--seconds=9", "--seed=4"]],
    [["--seconds=9", "--seed=4", "--only=worker killed"]],
    [["--seconds=9", "--seed=4", "--stampede"]],
  ])("%j are what the command for a repetition says", (args) => {
    const plan = planOf(args, 7)!;
    const words = [...commandOf(plan).matchAll(/"([^"]*)"|(\S+)/g)].map(
      ([, quoted, word]) => quoted ?? word!,
    );
    expect(planOf(words.slice(3), 0)).toEqual(plan);
  });
});

const first = (count: number, seed: number, only?: string) => {
  const faults = sequence(new Random(seed), only);
  return Array.from({ length: count }, () => (faults.next().value as { name: string }).name);
};

describe("the sequence of faults", () => {
  it("is the same for the same seed, and another one for another seed", () => {
    expect(first(60, 3)).toEqual(first(60, 3));
    expect(first(60, 3)).not.toEqual(first(60, 4));
  });

  it("has each fault once in a round", () => {
    const names = FAULTS.map(({ name }) => name).sort();
    const two = first(2 * names.length, 3);
    expect(two.slice(0, names.length).sort()).toEqual(names);
    expect(two.slice(names.length).sort()).toEqual(names);
  });

  it("has only the faults that were asked for", () => {
    expect(new Set(first(10, 3, "handlers throw"))).toEqual(new Set(["handlers throw"]));
  });
});

it("the times of a run are as documented up to a start of 3 s, and grow with it above", () => {
  expect([500, 3_000, 6_000, 30_000].map(slownessOf)).toEqual([1, 1, 2, 10]);
});

describe("the kills of a stampede", () => {
  it("are a connection every 10 ms and a worker every 5 s, by the seed", () => {
    const all = [...kills(3, 60)];
    expect(all.filter(({ what }) => what === "connection").length).toBe(6_000);
    const workers = all.filter(({ what }) => what === "worker").map(({ atMs }) => atMs);
    expect(workers).toEqual(Array.from({ length: 12 }, (_, i) => (i + 1) * 5_000));
    expect([...kills(3, 60)]).toEqual(all);
    expect([...kills(4, 60)]).not.toEqual(all);
  });
});

const scrape = (accepted: number, active: number, closed: number) => `# HELP of something
drover_connections_accepted_total{worker="1"} ${accepted}
drover_connections_active{worker="1"} ${active}
drover_connections_closed_total{worker="1",reason="normal"} ${closed}
`;

describe("the check of a scrape", () => {
  it("finds nothing where the books balance and totals rise", () => {
    const check = new ScrapeCheck();
    expect(check.check(scrape(5, 2, 3))).toEqual({ accepted: 5, active: 2, closed: 3, wrong: [] });
    expect(check.check(scrape(9, 0, 9)).wrong).toEqual([]);
  });

  it("finds a connection that was counted twice, or not at all", () => {
    const twice = new ScrapeCheck().check(scrape(5, 3, 3)).wrong;
    expect(twice).toEqual(["accepted 5 is not active 3 + closed 3"]);
    expect(new ScrapeCheck().check(scrape(5, 1, 3)).wrong).not.toEqual([]);
  });

  it("finds a total that falls, also after a scrape without it", () => {
    const check = new ScrapeCheck();
    check.check(scrape(5, 2, 3));
    check.check("");
    const { wrong } = check.check(scrape(4, 2, 2));
    expect(wrong).toEqual([
      'drover_connections_accepted_total{worker="1"} fell from 5 to 4',
      'drover_connections_closed_total{worker="1",reason="normal"} fell from 3 to 2',
    ]);
  });

  it("lets the totals of another program begin at 0", () => {
    const check = new ScrapeCheck();
    check.check(scrape(5, 2, 3));
    check.reset();
    expect(check.check(scrape(1, 1, 0)).wrong).toEqual([]);
  });
});

/** One sample a minute. */
const samples = (count: number, value: (minute: number) => number): Sample[] =>
  Array.from({ length: count }, (_, minute) => ({ seconds: minute * 60, value: value(minute) }));

describe("trends", () => {
  it("are per hour", () => {
    expect(slope(samples(61, (minute) => 50 + minute))).toBeCloseTo(60);
    expect(slope(samples(61, () => 50))).toBe(0);
    expect(slope([{ seconds: 0, value: 3 }])).toBe(0);
  });

  it("compare the median of the last quarter with that of the first", () => {
    expect(growth(samples(40, (minute) => (minute < 20 ? 10 : 15)))).toBe(1.5);
    // One outlier is no growth.
    expect(growth(samples(40, (minute) => (minute === 39 ? 1_000 : 10)))).toBe(1);
  });
});

describe("the judgement of a soak", () => {
  const hour = (figure: string, value: (minute: number) => number) =>
    judge(new Map([[figure, new Map([["worker 1", samples(61, value)]])]]), 3_600).violations;

  it.each(["resident memory, MiB", "heap used, MiB"])(
    "%s may not grow by more than 1 MiB an hour",
    (figure) => {
      expect(hour(figure, (minute) => 80 + minute / 100)).toEqual([]);
      expect(hour(figure, (minute) => 80 + minute / 30)).toEqual([
        `${figure}: worker 1 grows by 2.00 MiB an hour`,
      ]);
    },
  );

  it("does not judge what grows while a program warms up", () => {
    expect(hour("resident memory, MiB", (minute) => (minute < 10 ? 8 * minute : 80))).toEqual([]);
  });

  it.each(["descriptors", "active timers"])("%s may not rise by more than 5", (figure) => {
    expect(hour(figure, (minute) => 20 + (minute % 30))).toEqual([]);
    expect(hour(figure, (minute) => 20 + minute / 5)).toEqual([`${figure}: worker 1 rose by 7.8`]);
  });

  it("p99 may not grow by more than a quarter", () => {
    expect(hour("p99, ms", (minute) => (minute < 50 ? 10 : 12))).toEqual([]);
    expect(hour("p99, ms", (minute) => (minute < 40 ? 10 : 13))).toEqual([
      "p99, ms: worker 1 grew 1.30 times",
    ]);
  });

  it("memory and p99 of a short run are shown and not judged", () => {
    const figures = new Map([
      ["resident memory, MiB", new Map([["worker 1", samples(10, (minute) => 80 + minute)]])],
    ]);
    const { violations, lines } = judge(figures, 600);
    expect(violations).toEqual([]);
    expect(lines.at(-1)).toBe("memory and p99 are judged in runs of 30 minutes and more");
  });
});
