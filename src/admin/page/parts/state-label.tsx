/** A state as text with a coloured dot; the colour never carries information alone. */

const TONES: Readonly<Record<string, string>> = {
  running: "ok",
  listening: "ok",
  starting: "warn",
  suspended: "warn",
  full: "warn",
  overloaded: "warn",
  "not accepting": "warn",
  draining: "warn",
  drained: "warn",
  stopping: "warn",
  down: "bad",
  closed: "bad",
  killed: "bad",
};

/** States of protocols have no colour: their meaning is unknown. */
export function toneOf(state: string | undefined): string {
  return (state !== undefined && Object.hasOwn(TONES, state) && TONES[state]) || "plain";
}

export function State({ state, tone = toneOf(state) }: { state: string; tone?: string }) {
  return (
    <span class={`state ${tone}`} title={state}>
      <span class="dot" aria-hidden="true" />
      {state}
    </span>
  );
}
