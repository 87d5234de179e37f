/** What the tests of the commands share: running one against a server that exists only in memory. */
import { Writable } from "node:stream";
import { type RunOptions, runCommand } from "../../src/cli/run.js";

/** A stream that remembers what was written. */
export class Memory extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk;
    done();
  }
}

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `drover NAME ...` against the server with this control socket. */
export async function drover(
  socketPath: string,
  line: readonly string[],
  options: Partial<RunOptions> = {},
): Promise<Outcome> {
  const [name = "", ...positionals] = line;
  const [stdout, stderr] = [new Memory(), new Memory()];
  const config = { name: "drover", control: socketPath };
  const code = await runCommand(name, positionals, { config, stdout, stderr, ...options });
  return { code, stdout: stdout.text, stderr: stderr.text };
}
