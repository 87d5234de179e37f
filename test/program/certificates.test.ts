/** What is wrong with a certificate or key is told with its place: in the configuration file, or as an option. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { openCertificates } from "../../src/program/listeners/certificates.js";
import { folderWith, load } from "../config/support.js";
import { certificateFiles } from "../support/certificates/certificates.js";

const { cert, key } = certificateFiles("server");
const other = certificateFiles("a.example").key;

test.each([
  [{ cert: "none.crt", key }, "listeners[1].tls.cert: FOLDER/none.crt: no such file"],
  [{ cert, key: other }, `listeners[1].tls.key: ${other}: is not the key of the certificate in ${cert}`],
  [
    { cert, key, more: [{ cert, key: "none.key" }] },
    "listeners[1].tls.more[0].key: FOLDER/none.key: no such file",
  ],
])("of a listener in a file: %j", async (tls, message) => {
  const own = { protocol: "echo", port: 0 };
  const listeners = [
    { ...own, name: "plain" },
    { ...own, name: "secure", tls },
  ];
  const cwd = folderWith({ "acme.json": JSON.stringify({ listeners }) });
  const loaded = await load({ cwd, argv: ["--config=acme.json"] });
  const said = message.replace("FOLDER", cwd).replace(/[[\].?()+/]/g, "\\$&");
  expect(() => openCertificates(loaded)).toThrow(new RegExp(`^acme\\.json:1:\\d+: ${said}$`));
});

test("of the options of the only listener", async () => {
  const cwd = folderWith();
  const loaded = await load({ cwd, argv: ["--tls-cert=none.crt", `--tls-key=${key}`] });
  expect(() => openCertificates(loaded)).toThrow(`--tls-cert: ${join(cwd, "none.crt")}: no such file`);
});
