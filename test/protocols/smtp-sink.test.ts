/** The mail sink that comes with drover: the dialogue of RFC 5321, out of order too, and what ends a message. */
import { expect, test } from "vitest";
import sink from "../../src/protocols/smtp-sink.js";
import { certificateFiles } from "../support/certificates/certificates.js";
import type { Client } from "../support/client.js";
import { closedAs, connected, manualClock, serving } from "../support/serving.js";
import { until } from "../support/until.js";

/** Sends lines, each when the one before has been answered; returns the codes of the answers. */
async function dialogue(client: Client, lines: readonly string[]): Promise<string[]> {
  const codes: string[] = [];
  const answers = () => client.bytes.toString().match(/^\d{3} .*\r\n/gm) ?? [];
  await until(() => answers().length === 1);
  for (const [n, line] of lines.entries()) {
    client.write(`${line}\r\n`);
    await until(() => answers().length === n + 2 || client.ended);
    codes.push(answers()[n + 1]?.slice(0, 3) ?? "closed");
  }
  return codes;
}

test("mail is taken; what is out of order or wrong is refused", async () => {
  const client = await connected(await serving(sink));
  const lines: [command: string, code: string][] = [
    ["MAIL FROM:<a@x>", "503"],
    ["EHLO", "501"],
    ["EHLO client", "250"],
    ["RCPT TO:<b@x>", "503"],
    ["STARTTLS", "502"],
    ["MAIL FROM: ada", "501"],
    ["MAIL FROM:<a@x> SIZE=99999999", "552"],
    ["mail from:<>", "250"],
    ["DATA", "503"],
    ["RCPT TO:<>", "501"],
    ["RCPT TO:<b@x>", "250"],
    ["RCPT TO:<c@x>", "250"],
    ["MAIL FROM:<a@x>", "503"],
    ["DATA", "354"],
    ["Subject: dots\r\n\r\n..\r\n..two\r\n.", "250"],
    ["NOOP", "250"],
    ["MAIL FROM:<a@x>", "250"],
    ["RSET", "250"],
    ["DATA", "503"],
    ["VRFY ada", "252"],
    ["DANCE", "500"],
    ["QUIT", "221"],
  ];
  const codes = await dialogue(
    client,
    lines.map(([command]) => command),
  );
  expect(codes).toEqual(lines.map(([, code]) => code));
  await client.end();
});

test("a message ends at a dot between two line ends of both bytes, and nowhere else", async () => {
  const client = await connected(await serving(sink));
  await dialogue(client, ["HELO client", "MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA"]);
  client.write("one\n.\nMAIL FROM:<eve@x>\n.\r\n\r.\r\nend\r\n.\r\nQUIT\r\n");
  await client.end();
  expect(client.bytes.toString()).toMatch(
    /354 [^\r]*\r\n250 2\.0\.0 taken as [0-9a-f]{16}\r\n221 [^\r]*\r\n$/,
  );
});

test("a message that is too long is refused at its end, and a client that is silent is told so", async () => {
  const clock = manualClock();
  const server = await serving(sink);
  const client = await connected(server);
  await dialogue(client, ["EHLO client", "MAIL FROM:<a@x>", "RCPT TO:<b@x>", "DATA"]);
  const line = `${"x".repeat(4000)}\r\n`;
  client.write(line.repeat(Math.ceil((10 * 1024 * 1024) / line.length) + 1)).write(".\r\n");
  await until(() => client.bytes.toString().endsWith("552 5.3.4 a message has at most 10485760 bytes\r\n"));
  await clock.advance(301_000);
  await client.end();
  expect(client.bytes.toString()).toMatch(/421 4\.4\.2 five minutes of silence\r\n$/);
  expect(await closedAs(server)).toEqual({ idle: 1 });
});

test("STARTTLS is offered where the listener has TLS", async () => {
  const tls = { start: "by_protocol", ...certificateFiles("server") } as const;
  const client = await connected(await serving(sink, { tls }));
  expect(await dialogue(client, ["EHLO client"])).toEqual(["250"]);
  expect(client.bytes.toString()).toMatch(/250 STARTTLS\r\n$/);
});
