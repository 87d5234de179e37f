/** Page of the reference: framings. */
import { functionText, memberList } from "./markdown.js";
import { Source } from "./source.js";

/** Names and files, in the order of the page. */
const FRAMINGS: readonly (readonly [name: string, file: string, options?: string])[] = [
  ["packet", "packet.ts", "PacketOptions"],
  ["lines", "lines.ts", "LinesOptions"],
  ["delimited", "text/delimited.ts", "DelimitedOptions"],
  ["json", "text/json.ts", "JsonOptions"],
  ["fixed", "length/fixed.ts"],
  ["varint", "length/varint.ts", "VarintOptions"],
  ["netstring", "length/netstring.ts", "NetstringOptions"],
  ["resp", "resp/resp.ts", "RespOptions"],
  ["raw", "raw.ts"],
  ["customFraming", "custom/custom.ts", "CustomFramingOptions"],
];

const ERLANG: readonly (readonly [name: string, file: string])[] = [
  ["line", "text/erlang-line.ts"],
  ["asn1", "length/asn1.ts"],
  ["cdr", "length/cdr.ts"],
  ["fcgi", "length/fcgi.ts"],
  ["sslTls", "length/ssl-tls.ts"],
  ["sunrm", "length/sunrm.ts"],
  ["tpkt", "length/tpkt.ts"],
  ["http", "http/http.ts"],
  ["httpBin", "http/http.ts"],
  ["httph", "http/http.ts"],
  ["httphBin", "http/http.ts"],
];

/** The values that `resp` sends and receives. */
function respValues(root: string): string {
  const source = new Source(root, "src/framing/resp/values.ts");
  const names = ["RespError", "RespPush", "RespVerbatim", "RespValue", "RespWord"];
  return `\nValues:\n\n${memberList(names.map((name) => source.declared(name)))}`;
}

export function framingsPage(root: string): string {
  const own = FRAMINGS.map(([name, file, options]) => {
    const source = new Source(root, `src/framing/${file}`);
    const members = options === undefined ? "" : `\n${memberList(source.members(options))}`;
    const values = name === "resp" ? respValues(root) : "";
    return `${functionText(name, source.functions(name))}${members}${values}`;
  });
  const erlang = ERLANG.map(([name, file]) => {
    return functionText(`erlang.${name}`, new Source(root, `src/framing/${file}`).functions(name));
  });
  const framing = new Source(root, "src/framing/framing.ts");
  return [
    "The page on [framings](framings.md) says which to choose.",
    "## Framings",
    own.join("\n"),
    "## Packet types of Erlang",
    erlang.join("\n"),
    "## A framing of your own",
    "An object with these members.",
    memberList(framing.members("Framing")),
    "Its decoder:",
    memberList(framing.members("Decoder")),
  ].join("\n\n");
}
