/** `drover check`: certificates and keys of the listeners with TLS. */
import { EXIT, type Loaded } from "../../config/config.js";
import { wallTime } from "../../otp/time/clock.js";
import { plural } from "../../text/plural.js";
import { CredentialStore } from "../../tls/credentials/credential-store.js";
import { TlsError } from "../../tls/errors.js";
import { tlsListeners } from "../listeners/certificates.js";
import type { Finding } from "./finding.js";

const DAY = 86_400_000;
/** Days before its end from which on a certificate is named. */
const SOON = 14;

export function checkCertificates(loaded: Loaded): Finding[] {
  return tlsListeners(loaded).flatMap((listener) => {
    const what = `tls of ${listener.name}`;
    let store: CredentialStore;
    try {
      store = new CredentialStore([listener]);
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      return { what, verdict: "wrong", text: error.message, exitCode: EXIT.badConfig } satisfies Finding;
    }
    const pairs = store.get(listener.name)?.credentials.pairs ?? [];
    const ending = pairs.flatMap(({ name, validTo }) => {
      const days = (validTo - wallTime()) / DAY;
      // One that has expired has its warning already.
      if (days > SOON || days < 0) return [];
      return `the certificate ${name} ends in ${plural(Math.floor(days), "day")}, on ${new Date(validTo).toISOString()}: renew it`;
    });
    const warnings = [...store.warnings, ...ending].map(
      (text): Finding => ({ what, verdict: "warning", text }),
    );
    const names = pairs.slice(0, 3).map(({ name }) => name);
    const text = `${plural(pairs.length, "certificate")}: ${names.join(", ")}${pairs.length > 3 ? ", …" : ""}`;
    return warnings.length > 0 ? warnings : [{ what, verdict: "ok", text } satisfies Finding];
  });
}
