/** The example `smtp-sink` with Python's smtplib: in clear, and over TLS after STARTTLS. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect } from "vitest";
import { certificateFile, certificateFiles } from "../../support/certificates/certificates.js";
import { find, testWith } from "../../support/peers.js";
import { freePort } from "../../support/ports.js";
import { endAll, Program } from "../../support/program.js";

const python = testWith("python3", "apt-get install python3");

const CLIENT = `
import smtplib, ssl, sys
port, encrypted, ca = int(sys.argv[1]), sys.argv[2] == "tls", sys.argv[3]
with smtplib.SMTP("127.0.0.1", port, local_hostname="client", timeout=20) as smtp:
    print(smtp.ehlo()[0], smtp.has_extn("starttls"), smtp.esmtp_features["size"])
    if encrypted:
        smtp._host = "localhost"
        print(smtp.starttls(context=ssl.create_default_context(cafile=ca))[0])
        print(smtp.ehlo()[0], smtp.has_extn("starttls"))
    for n in range(3):
        body = "Subject: %d\\n\\n.dot\\n..\\n" % n + "line\\n" * (10000 * n)
        print(smtp.sendmail("ada@example.org", ["bob@example.org", "cy@example.org"], body))
    try:
        smtp.sendmail("ada@example.org", ["bob@example.org"], "x\\n" * 4000000)
    except smtplib.SMTPException as error:
        print(type(error).__name__, error.smtp_code)
    print(smtp.verify("ada")[0], smtp.noop()[0])
`;

let ports: Record<"clear" | "tls", number>;
beforeAll(async () => {
  ports = { clear: await freePort(), tls: await freePort() };
  const listener = { protocol: "smtp-sink", host: "127.0.0.1" };
  const listeners = [
    { ...listener, name: "clear", port: ports.clear },
    {
      ...listener,
      name: "tls",
      port: ports.tls,
      tls: { start: "by_protocol", ...certificateFiles("server") },
    },
  ];
  const args = ["start", "--config=mail.json", "--admin-port=0", "--workers=1", "--log-format=json"];
  const program = new Program(args, { files: { "mail.json": JSON.stringify({ listeners }) } });
  await program.line(({ msg }) => / serves /.test(msg ?? ""));
});
afterAll(endAll);

const answers = ["{}", "{}", "{}", "SMTPSenderRefused 552", "252 250"];

python.each([
  ["clear", ["250 False 10485760", ...answers]],
  ["tls", ["250 True 10485760", "220", "250 False", ...answers]],
] as const)("smtplib sends mail: %s", async (how, expected) => {
  const args = ["-c", CLIENT, String(ports[how]), how, certificateFile("ca.crt")];
  const { stdout } = await promisify(execFile)(find("python3") as string, args, { timeout: 60_000 });
  expect(stdout.trim().split("\n")).toEqual(expected);
});
