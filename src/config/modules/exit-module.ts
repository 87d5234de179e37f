/** A WebAssembly module whose `_start` calls `proc_exit` of WASI. */

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const FUNCTION_TYPE = 0x60;
const I32 = 0x7f;

/** @param code exit code, from 0 to 255 */
export function exitModule(code: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...HEADER,
    // Types: (i32) -> (), and () -> ().
    ...section(1, [2, FUNCTION_TYPE, 1, I32, 0, FUNCTION_TYPE, 0, 0]),
    // Imported function 0, of the first type.
    ...section(2, [1, ...name("wasi_snapshot_preview1"), ...name("proc_exit"), 0, 0]),
    // Function 1, of the second type.
    ...section(3, [1, 1]),
    // A memory of one page, which WASI wants to see.
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name("memory"), 2, 0, ...name("_start"), 0, 1]),
    // i32.const code (LEB128, two bytes); call 0; end.
    ...section(10, [1, 7, 0, 0x41, 0x80 | (code & 0x7f), code >> 7, 0x10, 0, 0x0b]),
  ]);
}

function section(id: number, bytes: readonly number[]): number[] {
  return [id, bytes.length, ...bytes];
}

function name(text: string): number[] {
  return [text.length, ...Buffer.from(text)];
}
