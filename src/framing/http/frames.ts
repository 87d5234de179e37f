/** Frames of the HTTP framings: the lines of a message head, parsed. `T` is the type of text: string or Buffer. */

/** Target of a request, by the forms that Erlang tells apart. */
export type HttpUri<T> =
  | "*"
  /** Path with query: "/index.html?q". */
  | { readonly kind: "abs_path"; readonly path: T }
  /** "http://host:port/path"; the path of "http://host" is "/". */
  | {
      readonly kind: "absoluteURI";
      readonly scheme: "http" | "https";
      readonly host: T;
      readonly port: number | undefined;
      readonly path: T;
    }
  /** Anything else with a colon, cut there: "mailto:a@b", and "host:443" of CONNECT. */
  | { readonly kind: "scheme"; readonly scheme: T; readonly rest: T }
  /** Anything else. */
  | { readonly kind: "string"; readonly text: T };

export interface HttpRequest<T> {
  readonly kind: "request";
  readonly method: string;
  readonly uri: HttpUri<T>;
  /** [1, 1] for HTTP/1.1; [0, 9] for a request line without version. */
  readonly version: readonly [major: number, minor: number];
}

export interface HttpResponse<T> {
  readonly kind: "response";
  readonly version: readonly [major: number, minor: number];
  readonly status: number;
  /** May be empty. */
  readonly reason: T;
}

export interface HttpHeader<T> {
  readonly kind: "header";
  /** Name with one upper-case letter per word: "Content-Type"; as received where it is longer than 50 characters. */
  readonly name: string;
  /** Name as received. A header to be sent needs none; if it has one, this is the name that is sent. */
  readonly original?: string;
  /** Value without surrounding line end; the line ends inside a folded value are kept. */
  readonly value: T;
}

/** The empty line after the headers. */
export interface HttpEnd {
  readonly kind: "end";
}

/** A line that is not HTTP, with its line end. The connection goes on, as in Erlang: it is up to the protocol to stop. */
export interface HttpError<T> {
  readonly kind: "error";
  readonly line: T;
}

export type HttpFrame<T> = HttpRequest<T> | HttpResponse<T> | HttpHeader<T> | HttpEnd | HttpError<T>;

/** Makes a text of the bytes from `start` to `end`. */
export type TextOf<T> = (bytes: Buffer, start: number, end: number) => T;
