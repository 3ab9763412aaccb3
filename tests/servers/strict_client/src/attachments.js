// Encrypted attachments as the specification has them (v2): AES-CTR with a fresh key, and the hash of what is stored.

const { subtle } = globalThis.crypto;
const unpadded = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

export async function encryptAttachment(clear) {
    const key = await subtle.generateKey({ name: "AES-CTR", length: 256 }, true, ["encrypt", "decrypt"]);
    const counter = new Uint8Array(16);
    globalThis.crypto.getRandomValues(counter.subarray(0, 8)); // The lower half counts.
    const data = Buffer.from(await subtle.encrypt({ name: "AES-CTR", counter, length: 64 }, key, clear));
    const sha256 = unpadded(await subtle.digest("SHA-256", data));
    const file = { v: "v2", key: await subtle.exportKey("jwk", key), iv: unpadded(counter), hashes: { sha256 } };
    return { data, file };
}

export async function decryptAttachment(data, file) {
    if (unpadded(await subtle.digest("SHA-256", data)) !== file.hashes.sha256) throw new Error("attachment hash differs");
    const key = await subtle.importKey("jwk", file.key, { name: "AES-CTR" }, false, ["decrypt"]);
    const counter = Buffer.from(file.iv, "base64");
    return Buffer.from(await subtle.decrypt({ name: "AES-CTR", counter, length: 64 }, key, data));
}
