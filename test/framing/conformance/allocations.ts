/** Sees what is allocated, so that a bound on memory can be tested without measuring the process. */

import { vi } from "vitest";

/** Sizes in bytes of the Buffers that `act` allocates, in order; `act` sees the list while it grows. */
export function allocationsOf(act: (sizes: number[]) => void): number[] {
  const sizes: number[] = [];
  const spies = (["alloc", "allocUnsafe", "allocUnsafeSlow"] as const).map((way) => {
    const real = Buffer[way];
    return vi.spyOn(Buffer, way).mockImplementation((size: number) => {
      sizes.push(size);
      return real(size);
    });
  });
  try {
    act(sizes);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return sizes;
}
