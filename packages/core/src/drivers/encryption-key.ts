import { createSealer, type Sealer } from "../application-key.ts";
import type { EncryptionKey } from "../doors.ts";

/** What encrypts and decrypts signing keys. The key is fetched once, when it is asked for first. Throws `UnavailableError`. */
export function sealerOf(encryptionKey: EncryptionKey): () => Promise<Sealer> {
  if ("value" in encryptionKey) {
    const sealer = createSealer(encryptionKey.value);
    return async () => sealer;
  }
  throw new Error("not built yet");
}
