/**
 * Encoder of the HTTP framings. What a peer would read as something else is refused: above all a line end inside a
 * value, with which a client's text could add headers (response splitting).
 */

import { sendInvalid } from "../errors.js";
import type { HttpFrame, HttpUri } from "./frames.js";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Visible Latin-1. */
const TARGET = /^[\x21-\x7e\x80-\xff]+$/;
/** Latin-1 without line ends, and without blanks or tabs at the beginning, which the peer would take off. */
const TEXT = /^(?![ \t])[^\0\r\n]*$/;
const LATIN1 = /^[\0-\xff]*$/;

type Text = string | Uint8Array;

/** The line of a frame, with its line end, in characters up to 0xff. @throws FramingError `send_invalid` */
export function lineOf(name: string, frame: HttpFrame<Text>): string {
  switch (frame?.kind) {
    case "request":
      return `${token(name, "method", frame.method)} ${requestRest(name, frame.uri, frame.version)}\r\n`;
    case "response": {
      const { status, version, reason } = frame;
      if (!Number.isInteger(status) || status < 100 || status > 999) {
        throw sendInvalid(name, `the status is a number from 100 to 999, not ${status}`);
      }
      return `HTTP/${versionText(name, version)} ${status} ${text(name, "reason", reason)}\r\n`;
    }
    case "header":
      return `${token(name, "header name", frame.original ?? frame.name)}: ${text(name, "value", frame.value)}\r\n`;
    case "end":
      return "\r\n";
    default:
      throw sendInvalid(name, 'a frame is { kind: "request" | "response" | "header" | "end", … }');
  }
}

function requestRest(name: string, uri: HttpUri<Text>, version: readonly [number, number]): string {
  const target = targetOf(name, uri);
  return version?.[0] === 0 && version[1] === 9 ? target : `${target} HTTP/${versionText(name, version)}`;
}

function targetOf(name: string, uri: HttpUri<Text>): string {
  const target = uri === "*" ? uri : joined(uri);
  if (target === undefined || !TARGET.test(target)) {
    throw sendInvalid(
      name,
      "the uri has a blank, a control character or nothing in it; encode it with encodeURI",
    );
  }
  return target;
}

function joined(uri: Exclude<HttpUri<Text>, "*">): string | undefined {
  switch (uri?.kind) {
    case "abs_path":
      return latin1(uri.path);
    case "absoluteURI":
      return `${uri.scheme}://${latin1(uri.host)}${uri.port === undefined ? "" : `:${uri.port}`}${latin1(uri.path)}`;
    case "scheme":
      return `${latin1(uri.scheme)}:${latin1(uri.rest)}`;
    case "string":
      return latin1(uri.text);
    default:
      return undefined;
  }
}

function versionText(name: string, version: readonly [number, number]): string {
  const [major, minor] = version ?? [];
  if (Number.isInteger(major) && Number.isInteger(minor) && major! >= 0 && minor! >= 0) {
    return `${major}.${minor}`;
  }
  throw sendInvalid(name, "the version is two whole numbers, such as [1, 1]");
}

function token(name: string, what: string, value: unknown): string {
  if (typeof value === "string" && TOKEN.test(value)) return value;
  throw sendInvalid(name, `the ${what} is a token without blanks, not ${JSON.stringify(value)}`);
}

function text(name: string, what: string, value: Text): string {
  const found = latin1(value);
  if (found !== undefined && LATIN1.test(found) && TEXT.test(found)) return found;
  throw sendInvalid(name, `the ${what} has a line end, a leading blank or a character above U+00FF in it`);
}

function latin1(value: Text): string | undefined {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array || ArrayBuffer.isView(value)
    ? Buffer.from(value as Uint8Array).toString("latin1")
    : undefined;
}
