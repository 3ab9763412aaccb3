// Rooms and who is in them.
import { EventType, RoomEvent } from "matrix-js-sdk";

const ENCRYPTION = { type: EventType.RoomEncryption, state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } };

// The library answers before its own sync has brought the room: wait for that, as a person does.
async function arrived(session, room, membership) {
    const there = () => session.client.getRoom(room)?.getMyMembership() === membership;
    if (there()) return;
    await new Promise((resolve) => {
        const look = () => {
            if (!there()) return;
            session.client.off("Room", look);
            session.client.off(RoomEvent.MyMembership, look);
            resolve();
        };
        session.client.on("Room", look);
        session.client.on(RoomEvent.MyMembership, look);
    });
}

export function roomActions(session) {
    const { client } = session;
    return {
        create: async ({ name, topic, encrypted, invite, direct, version, visibility }) => {
            const { room_id } = await client.createRoom({
                preset: visibility === "public" ? "public_chat" : "private_chat",
                name,
                topic,
                invite,
                is_direct: direct,
                room_version: version ?? undefined,
                initial_state: encrypted ? [ENCRYPTION] : [],
            });
            await arrived(session, room_id, "join");
            return room_id;
        },
        join: async ({ room }) => {
            const { roomId } = await client.joinRoom(room);
            await arrived(session, roomId, "join");
            return roomId;
        },
        leave: async ({ room }) => {
            await client.leave(room);
            await arrived(session, room, "leave");
        },
        invite: ({ room, user }) => client.invite(room, user).then(() => null),
        kick: ({ room, user, reason }) => client.kick(room, user, reason).then(() => null),
        ban: ({ room, user, reason }) => client.ban(room, user, reason).then(() => null),
        upgrade: async ({ room, version }) => {
            const { replacement_room } = await client.upgradeRoom(room, version);
            await arrived(session, replacement_room, "join");
            return replacement_room;
        },
        set_state: async ({ room, type, state_key, content }) =>
            (await client.sendStateEvent(room, type, content, state_key)).event_id,
        rename: ({ name }) => client.setDisplayName(name).then(() => null),
        rooms: () => Object.fromEntries(client.getRooms().map((room) => [room.roomId, room.getMyMembership()])),
        members: ({ room }) =>
            Object.fromEntries((client.getRoom(room)?.getMembers() ?? []).map((one) => [one.userId, one.membership])),
    };
}
