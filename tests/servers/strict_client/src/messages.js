// What a person does with messages; the library encrypts by itself where the room is encrypted.
import { decryptAttachment, encryptAttachment } from "./attachments.js";

export function messageActions(session) {
    const { client } = session;
    return {
        send: async ({ room, type, content, txn }) =>
            (await client.sendEvent(room, null, type, content, txn ?? undefined)).event_id,
        redact: async ({ room, event, reason }) =>
            (await client.redactEvent(room, event, undefined, reason ? { reason } : undefined)).event_id,
        read: ({ room, event }) => client.sendReadReceipt(session.event(room, event)).then(() => null),
        typing: ({ room, typing }) => client.sendTyping(room, typing, 5000).then(() => null),
        send_file: async ({ room, name, mimetype, base64, more }) => sendFile(client, room, name, mimetype, base64, more),
        download: async ({ room, event }) => download(client, session.event(room, event).getContent()),
    };
}

async function sendFile(client, room, name, mimetype, base64, more) {
    const clear = Buffer.from(base64, "base64");
    const info = { mimetype, size: clear.length };
    const content = { msgtype: "m.file", body: name, filename: name, info, ...more };
    if (client.getRoom(room)?.hasEncryptionStateEvent()) {
        const { data, file } = await encryptAttachment(clear);
        const { content_uri: url } = await client.uploadContent(data, { type: "application/octet-stream" });
        content.file = { ...file, url };
    } else {
        content.url = (await client.uploadContent(clear, { type: mimetype, name })).content_uri;
    }
    return (await client.sendEvent(room, null, "m.room.message", content)).event_id;
}

async function download(client, content) {
    const address = content.file?.url ?? content.url;
    const url = client.mxcUrlToHttp(address, undefined, undefined, undefined, false, true, true);
    const response = await fetch(url, { headers: { Authorization: `Bearer ${client.getAccessToken()}` } });
    if (!response.ok) throw new Error(`download answered ${response.status}`);
    const data = Buffer.from(await response.arrayBuffer());
    const clear = content.file ? await decryptAttachment(data, content.file) : data;
    return clear.toString("base64");
}
