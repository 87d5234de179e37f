/** Server names: which certificate is served for the name that a client asks for (SNI, RFC 6066). */
import type { X509Certificate } from "node:crypto";

/** DNS names in a certificate; without any, its common name (RFC 6125, 6.4.4). */
export function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const names = [...(subjectAltName ?? "").matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(
    ([, name]) => name as string,
  );
  if (names.length > 0) return names;
  const common = /^CN=(.+)$/m.exec(subject)?.[1];
  return common === undefined ? [] : [common];
}

/** Index of certificates by name: exact first, then a wildcard for the leftmost label. */
export class NameTable {
  readonly #exact = new Map<string, number>();
  /** By the part behind `*.`. */
  readonly #wildcards = new Map<string, number>();

  /** @param names of each certificate, in lower case. Of two certificates with one name, the first is served */
  constructor(names: readonly (readonly string[])[]) {
    for (const [at, list] of names.entries())
      for (const name of list) {
        const [table, key] = name.startsWith("*.") ? [this.#wildcards, name.slice(2)] : [this.#exact, name];
        if (!table.has(key)) table.set(key, at);
      }
  }

  /** @returns the index of the certificate; `undefined`: none has this name */
  find(asked: string): number | undefined {
    const name = asked.toLowerCase().replace(/\.$/, "");
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf(".");
    // A wildcard stands for one label, and never for none (RFC 6125, 6.4.3).
    return dot > 0 ? this.#wildcards.get(name.slice(dot + 1)) : undefined;
  }
}
