/** A state as a word with a dot: the colour says it once more, never alone. */

const TONES: Readonly<Record<string, string>> = {
  running: "ok",
  listening: "ok",
  starting: "warn",
  suspended: "warn",
  full: "warn",
  draining: "warn",
  drained: "warn",
  stopping: "warn",
  down: "bad",
  closed: "bad",
  killed: "bad",
};

/** States of a protocol are its own: no colour could know what they mean. */
export function toneOf(state: string | undefined): string {
  return (state !== undefined && Object.hasOwn(TONES, state) && TONES[state]) || "plain";
}

export function State({ state }: { state: string }) {
  return (
    <span class={`state ${toneOf(state)}`}>
      <span class="dot" aria-hidden="true" />
      {state}
    </span>
  );
}
