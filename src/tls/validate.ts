/** Shape of TLS options that JavaScript code gives: the first mistake, in words. What the files contain is checked later. */
import type { TlsOptions } from "./options.js";

type Rule = readonly [expected: string, allows: (value: unknown) => boolean];

const isText = (value: unknown) => typeof value === "string" && value !== "";
const areTexts = (value: unknown) => Array.isArray(value) && value.every(isText);
const oneOf = (...words: string[]): Rule => [
  words.map((word) => JSON.stringify(word)).join(" or "),
  (value) => words.includes(value as string),
];

const PEM: Rule = ["the path of a PEM file, or PEM text", (value) => isText(value) || Buffer.isBuffer(value)];
const FILE: Rule = ["the path of a file", isText];
const PAIR = { cert: PEM, key: PEM, passphraseFile: FILE };
const NAMED: Readonly<Record<string, Rule>> = { ...PAIR, names: ["an array of server names", areTexts] };

const RULES: Readonly<Record<keyof TlsOptions, Rule>> = {
  ...PAIR,
  start: oneOf("at_once", "by_protocol"),
  more: ["an array of certificates such as [{ cert, key }]", Array.isArray],
  strictNames: ["true or false", (value) => typeof value === "boolean"],
  ca: PEM,
  crl: PEM,
  clientCerts: oneOf("none", "optional", "required"),
  minVersion: oneOf("TLSv1.2", "TLSv1.3"),
  ciphers: ["cipher suites in OpenSSL's notation", isText],
  ticketKeys: FILE,
  alpn: ["an array of protocol names", areTexts],
};

/** @returns `undefined` when there is none. Never quotes a value: it may be a private key */
export function tlsMistake(options: unknown): string | undefined {
  const mistake = mistakeIn(options, RULES, "tls");
  if (mistake !== undefined) return mistake;
  for (const [at, one] of ((options as TlsOptions).more ?? []).entries()) {
    const inside = mistakeIn(one, NAMED, `tls.more[${at}]`);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

function mistakeIn(value: unknown, rules: Readonly<Record<string, Rule>>, place: string): string | undefined {
  if (typeof value !== "object" || value === null)
    return `"${place}" must be an object such as { cert: "srv.crt", key: "srv.key" }`;
  for (const [key, one] of Object.entries(value)) {
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    if (rule === undefined)
      return `unknown option "${place}.${key}"; the options are ${Object.keys(rules).join(", ")}`;
    const [expected, allows] = rule;
    if (one !== undefined && !allows(one)) return `"${place}.${key}" must be ${expected}`;
  }
  const missing = ["cert", "key"].find((key) => (value as Record<string, unknown>)[key] === undefined);
  return missing && `"${place}.${missing}" is missing: give ${PEM[0]}`;
}
