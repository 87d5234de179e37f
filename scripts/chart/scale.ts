// Scales of a chart axis: the position of a value, and the ticks.

export interface Scale {
  /** Position of a value: 0 at the start of the axis, 1 at its end. */
  at(value: number): number;
  ticks: number[];
}

export function linear(max: number, wanted = 4): Scale {
  const top = max > 0 ? max : 1;
  const rough = top / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough;
  const end = Math.ceil(top / step - 1e-9) * step;
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
  return { at: (value) => value / end, ticks };
}

/** Like `linear`, but the axis ends at the maximum instead of a tick. */
export function span(max: number, wanted = 5): Scale {
  const { ticks } = linear(max, wanted);
  const end = max > 0 ? max : 1;
  return { at: (value) => value / end, ticks: ticks.filter((tick) => tick <= end) };
}

/** Logarithmic. Ticks at powers of ten, with 2 and 5 between them over at most two decades. */
export function logarithmic(min: number, max: number): Scale {
  const low = 10 ** Math.floor(Math.log10(Math.max(min, 1e-9)) + 1e-9);
  const high = 10 ** Math.max(Math.ceil(Math.log10(Math.max(max, 1e-9)) - 1e-9), Math.log10(low) + 1);
  const decades = Math.round(Math.log10(high / low));
  const factors = decades <= 2 ? [1, 2, 5] : [1];
  const ticks = Array.from({ length: decades + 1 }, (_, i) => low * 10 ** i)
    .flatMap((decade) => factors.map((factor) => factor * decade))
    .filter((tick) => tick <= high * 1.001);
  const place = (value: number) => Math.log10(Math.max(value, low) / low) / decades;
  return { at: place, ticks };
}

/** Percentile scale on which 90, 99, 99.9 … have equal distances. */
export function nines(last: number): Scale {
  const depth = (percent: number) => -Math.log10(1 - Math.min(percent, 99.99999) / 100);
  const all = [50, 90, 99, 99.9, 99.99, 99.999];
  return { at: (percent) => depth(percent) / depth(last), ticks: all.filter((tick) => tick <= last) };
}
