/**
 * Which options of a protocol are secret, so that no command, log line or message shows them: those that the schema
 * marks (`v.metadata({ secret: true })`), those whose name says so, and the password of a URL.
 */
import type { Schema } from "./schema.js";

const SECRET_NAME = /pass(word|phrase|wd)|secret|token|credential|(api|access|private)[-_]?key/i;

export function isSecret(schema: Schema | undefined, key: string): boolean {
  return SECRET_NAME.test(key) || marked(fieldOf(schema, key));
}

/** `postgres://app:hunter2@db/app` becomes `postgres://app:***@db/app`, anywhere in the text. */
export function withoutPassword(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*):[^\s/@"]+@/gi, "$1:***@");
}

/** Parts of a schema of valibot. */
interface Part {
  readonly kind?: unknown;
  readonly type?: unknown;
  readonly metadata?: { readonly secret?: unknown };
  /** Of `optional` and its like: the schema inside. */
  readonly wrapped?: Part;
  readonly pipe?: readonly Part[];
}

function fieldOf(schema: Schema | undefined, key: string): Part | undefined {
  return (schema as { readonly entries?: Readonly<Record<string, Part>> } | undefined)?.entries?.[key];
}

function marked(part: Part | undefined): boolean {
  if (part === undefined) return false;
  if (part.kind === "metadata" && part.type === "metadata") return part.metadata?.secret === true;
  if (part.wrapped !== undefined && marked(part.wrapped)) return true;
  return part.pipe?.some((item) => item !== part && marked(item)) ?? false;
}
