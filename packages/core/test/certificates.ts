import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateFiles, findOrInstall } from "@topicast/testing";

const OPENSSL = {
  names: ["openssl"],
  debianPackage: "openssl",
  how: "no openssl is here: install one (Debian and Ubuntu: apt-get install openssl)",
};

/** A fresh certificate that is its own authority, for a day, in a folder of its own. */
export function createCertificate(hostname: string): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), "topicast-certificate-"));
  const [certificate, key] = ["certificate.pem", "key.pem"].map((file) => join(folder, file)) as [string, string];
  const names = ["-subj", `/CN=${hostname}`, "-addext", `subjectAltName=DNS:${hostname}`];
  const algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const files = ["-keyout", key, "-out", certificate];
  execFileSync(findOrInstall(OPENSSL), ["req", "-x509", "-days", "1", ...algorithm, ...names, ...files], {
    stdio: "ignore",
  });
  return { certificate, key };
}
