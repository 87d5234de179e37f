/** Shrinks a failing scenario: leaves out steps, operations, modules, cells, answers and actions. */
import type { Act, Answer, Cells, Module, Scenario, State } from "./scenario.js";
import { STATES } from "./scenario.js";

function without<T>(list: readonly T[]): T[][] {
  return list.map((_, at) => list.toSpliced(at, 1));
}

/** A list with one of its elements made simpler. */
function inside<T>(list: readonly T[], simpler: (one: T) => T[]): T[][] {
  return list.flatMap((one, at) => simpler(one).map((simple) => list.with(at, simple)));
}

/** All that are smaller by one thing, or by many: the boldest first. */
export function smaller(scenario: Scenario): Scenario[] {
  const { steps, actions, modules } = scenario;
  const half = Math.ceil(steps.length / 2);
  const halves = steps.length > 3 ? [steps.slice(0, half), steps.slice(half)] : [];
  const shorter = [
    ...halves,
    ...without(steps),
    ...inside(steps, (step) => (step.length > 1 ? without(step) : [])),
  ];
  const fewer = modules.length > 1 ? [modules.slice(0, -1)] : [];
  return [
    ...fewerCells(modules).map((modules) => ({ ...scenario, modules })),
    ...shorter.map((steps) => ({ ...scenario, steps })),
    ...fewer.filter((few) => !reaches(scenario, few.length)).map((modules) => ({ ...scenario, modules })),
    ...inside(modules, simplerModule).map((modules) => ({ ...scenario, modules })),
    ...without(actions).map((actions) => ({ ...scenario, actions })),
    ...(scenario.traps ? [{ ...scenario, traps: false }] : []),
  ];
}

/** Without one half of all cells, a quarter, an eighth and so on. */
function fewerCells(modules: readonly Module[]): Module[][] {
  const places = modules.flatMap((module, at) =>
    STATES.flatMap((state) => Object.keys(module.cells[state]).map((event) => ({ at, state, event }))),
  );
  const result: Module[][] = [];
  for (let size = Math.ceil(places.length / 2); size > 0; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let from = 0; from < places.length; from += size) {
      const gone = places.slice(from, from + size);
      result.push(
        modules.map((module, at) =>
          gone
            .filter((place) => place.at === at)
            .reduce((left, { state, event }) => {
              const { [event]: _, ...rest } = left.cells[state];
              return withCells(left, state, rest);
            }, module),
        ),
      );
    }
  }
  return result;
}

/** Whether something switches to a module beyond these. */
function reaches({ modules, actions }: Scenario, count: number): boolean {
  const acts = modules
    .slice(0, count)
    .flatMap(({ cells }) => STATES.flatMap((state) => Object.values(cells[state]).flat()))
    .flatMap((answer) => answer.actions);
  return [...acts, ...actions].some((act) => "module" in act && act.module > count);
}

function simplerModule(module: Module): Module[] {
  const cells = STATES.flatMap((state) =>
    simplerCells(module.cells[state]).map((simple) => withCells(module, state, simple)),
  );
  const simple = [{ enter: false }, { mode: "handle_event_function" as const }]
    .map((change) => ({ ...module, ...change }))
    .filter((other) => JSON.stringify(other) !== JSON.stringify(module));
  return [...simple, ...cells];
}

const withCells = (module: Module, state: State, cells: Cells): Module => ({
  ...module,
  cells: { ...module.cells, [state]: cells },
});

function simplerCells(cells: Cells): Cells[] {
  return Object.entries(cells).flatMap(([event, answers]) => {
    const shorter = answers.length > 1 ? without(answers) : [];
    const simpler = [...shorter, ...inside(answers, simplerAnswer)];
    return simpler.map((list) => ({ ...cells, [event]: list }));
  });
}

function simplerAnswer(answer: Answer): Answer[] {
  const { later: _, ...now } = answer;
  const { keeps: __, ...forgetful } = answer;
  return [
    ...without<Act>(answer.actions).map((actions): Answer => ({ ...answer, actions })),
    ...(answer.later ? [now] : []),
    ...(answer.keeps ? [forgetful] : []),
  ];
}
