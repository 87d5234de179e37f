/** Source maps of the user's modules. Every worker imports this file: it must not bring in more than that needs. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { fileURLToPath } from "node:url";
import type { UserModule } from "./user-module.js";

export type MappedModule = Pick<UserModule, "path" | "url" | "map">;

/** Line and column begin with 1. */
export interface Position {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** Maps positions in compiled modules to the user's files. A source map is parsed when it is first asked. */
export class SourcePositions {
  readonly #modules = new Map<string, MappedModule>();
  readonly #maps = new Map<MappedModule, SourceMap>();

  constructor(modules: readonly MappedModule[]) {
    // Scripts are named by URL in ES modules, by path in CommonJS, and by URL again in the inspector.
    for (const module of modules) this.#modules.set(module.url, module).set(module.path, module);
  }

  find(script: string, line: number, column: number): Position | undefined {
    const module = this.#modules.get(script);
    if (module === undefined) return undefined;
    const entry = this.#mapOf(module).findEntry(line - 1, column - 1);
    if (!("originalLine" in entry) || !entry.originalSource.startsWith("file:")) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    return { path: fileURLToPath(originalSource), line: originalLine + 1, column: originalColumn + 1 };
  }

  #mapOf(module: MappedModule): SourceMap {
    const known = this.#maps.get(module);
    if (known) return known;
    const payload = JSON.parse(Buffer.from(module.map, "base64").toString()) as SourceMapPayload;
    const map = new SourceMap(payload);
    this.#maps.set(module, map);
    return map;
  }
}
