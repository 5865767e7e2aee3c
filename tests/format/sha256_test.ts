import { assertEquals, assertNotEquals } from "@std/assert";
import { sha256 } from "../../src/format/sha256.ts";

async function webDigest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

Deno.test("sha256() agrees with Web Crypto for every length up to three blocks", async () => {
  const source = Uint8Array.from({ length: 200 }, (_, i) => (i * 131 + 7) & 255);

  for (let length = 0; length <= source.length; length++) {
    const bytes = source.slice(0, length);

    assertEquals(sha256(bytes), await webDigest(bytes), `length ${length}`);
  }
});

Deno.test("sha256() reads a view with an offset and notices one flipped bit", async () => {
  const buffer = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) & 255);
  const view = buffer.subarray(3, 4900);

  const digest = sha256(view);

  assertEquals(digest, await webDigest(view.slice()));
  view[4000] ^= 1;
  assertNotEquals(sha256(view), digest);
});
