// One logged-in device with its own keys in memory: crypto first, then sync, as Element does.
import { createClient, ClientEvent, MatrixEventEvent, RoomEvent, RoomMemberEvent, RoomStateEvent } from "matrix-js-sdk";
import { AllDevicesIsolationMode, OnlySignedDevicesIsolationMode } from "matrix-js-sdk/lib/crypto-api/index.js";
import { describeEvent } from "./events.js";
import { roomActions } from "./rooms.js";
import { messageActions } from "./messages.js";

const quiet = { trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error, getChild: () => quiet };

export class Session {
    static async login({ url, user, password, device, crossSign, onlySigned }, changed) {
        const door = createClient({ baseUrl: url, logger: quiet });
        const granted = await door.loginRequest({
            type: "m.login.password",
            identifier: { type: "m.id.user", user },
            password,
            ...(device ? { device_id: device } : {}),
        });
        const client = createClient({
            baseUrl: url,
            userId: granted.user_id,
            deviceId: granted.device_id,
            accessToken: granted.access_token,
            logger: quiet,
            timelineSupport: true,
        });
        const session = new Session(client, password, changed);
        await session.start({ crossSign, onlySigned });
        return session;
    }

    constructor(client, password, changed) {
        this.client = client;
        this.password = password;
        this.changed = changed;
        this.timelines = new Map(); // room -> (event id -> MatrixEvent), whatever the library drops after a gap
        this.actions = { ...this.identityActions(), ...roomActions(this), ...messageActions(this) };
    }

    get crypto() {
        return this.client.getCrypto();
    }

    describe() {
        return {
            user_id: this.client.getUserId(),
            device_id: this.client.getDeviceId(),
            access_token: this.client.getAccessToken(),
        };
    }

    async start({ crossSign, onlySigned }) {
        await this.client.initRustCrypto({ useIndexedDB: false });
        this.isolate({ onlySigned });
        if (crossSign) await this.crossSign({ reset: false });
        this.observe();
        const prepared = new Promise((resolve) => {
            this.client.on(ClientEvent.Sync, (state) => state === "PREPARED" && resolve());
        });
        await this.client.startClient({ initialSyncLimit: 100, pendingEventOrdering: "detached" });
        await prepared;
    }

    observe() {
        const { client } = this;
        client.on(RoomEvent.Timeline, (event, room) => this.keep(event, room?.roomId));
        client.on(RoomEvent.TimelineReset, (room) => this.fillGap(room));
        client.on(MatrixEventEvent.Decrypted, (event) => this.changed(event.getRoomId()));
        client.on(MatrixEventEvent.Replaced, (event) => this.changed(event.getRoomId()));
        client.on(RoomEvent.Redaction, (event, room) => this.changed(room.roomId));
        client.on(RoomEvent.MyMembership, (room) => this.changed(room.roomId));
        client.on(RoomMemberEvent.Membership, (event) => this.changed(event.getRoomId()));
        client.on(RoomStateEvent.Events, (event) => this.changed(event.getRoomId()));
    }

    keep(event, roomId) {
        if (!roomId) return;
        if (!this.timelines.has(roomId)) this.timelines.set(roomId, new Map());
        this.timelines.get(roomId).set(event.getId(), event);
        this.changed(roomId);
    }

    async fillGap(room) {
        if (!room) return;
        const known = new Set(this.timelines.get(room.roomId)?.keys() ?? []);
        for (let page = 0; page < 20; page++) {
            const before = room.getLiveTimeline().getEvents().length;
            await this.client.scrollback(room, 100);
            const now = room.getLiveTimeline().getEvents();
            if (now.length === before || now.some((event) => known.has(event.getId()))) return;
        }
    }

    // In the order of the server's clock; scrolled-back events come late but belong before.
    events(roomId) {
        const known = [...(this.timelines.get(roomId)?.values() ?? [])];
        return known.sort((one, other) => one.getTs() - other.getTs());
    }

    event(roomId, eventId) {
        const found = this.timelines.get(roomId)?.get(eventId);
        if (!found) throw new Error(`event ${eventId} is not known in ${roomId}`);
        return found;
    }

    isolate({ onlySigned }) {
        const mode = onlySigned ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false);
        this.crypto.setDeviceIsolationMode(mode);
    }

    async crossSign({ reset }) {
        const identifier = { type: "m.id.user", user: this.client.getUserId() };
        await this.crypto.bootstrapCrossSigning({
            setupNewCrossSigning: reset,
            authUploadDeviceSigningKeys: async (upload) => {
                try {
                    return await upload(null);
                } catch (error) {
                    if (error.httpStatus !== 401) throw error;
                    const { password } = this;
                    return upload({ type: "m.login.password", identifier, password, session: error.data.session });
                }
            },
        });
    }

    identityActions() {
        return {
            stop: () => this.client.stopClient(),
            isolate: (args) => this.isolate(args),
            cross_sign: () => this.crossSign({ reset: false }),
            reset_identity: () => this.crossSign({ reset: true }),
            devices: async ({ user }) => this.devices(user),
            trust: async ({ user }) => this.trust(user),
            events: async ({ room, last }) =>
                Promise.all(this.events(room).slice(-last).map((event) => describeEvent(this, event))),
            retry: async ({ room }) => this.retry(room),
        };
    }

    async devices(user) {
        const known = (await this.crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
        const described = {};
        for (const device of known.keys()) {
            const status = await this.crypto.getDeviceVerificationStatus(user, device);
            described[device] = {
                signed_by_owner: status?.signedByOwner ?? false,
                verified: status?.isVerified() ?? false,
            };
        }
        return described;
    }

    async trust(user) {
        await this.crypto.getUserDeviceInfo([user], true); // Ask the server: the answer may not be known yet.
        const status = await this.crypto.getUserVerificationStatus(user);
        return {
            known: status.known,
            verified: status.isVerified(),
            needs_approval: status.needsUserApproval,
        };
    }

    // What a person does by reloading: try again what could not be read.
    async retry(room) {
        const failed = this.events(room).filter((event) => event.isDecryptionFailure());
        for (const event of failed) await event.attemptDecryption(this.client.cryptoBackend, { isRetry: true });
    }
}
