// An event as a person would see it: decrypted, with edits and reactions applied, and with its warnings.

const SHIELDS = ["none", "grey", "red"];
const REASONS = [
    "UNKNOWN",
    "UNVERIFIED_IDENTITY",
    "UNSIGNED_DEVICE",
    "UNKNOWN_DEVICE",
    "AUTHENTICITY_NOT_GUARANTEED",
    "MISMATCHED_SENDER_KEY",
    "SENT_IN_CLEAR",
    "VERIFICATION_VIOLATION",
    "MISMATCHED_SENDER",
];

export async function describeEvent(session, event) {
    const content = event.getContent();
    return {
        id: event.getId(),
        room: event.getRoomId(),
        sender: event.getSender(),
        type: event.getType(),
        state_key: event.getStateKey() ?? null,
        body: event.isDecryptionFailure() ? "" : (content.body ?? ""),
        html: content.formatted_body ?? null,
        content,
        at: event.getTs(),
        encrypted: event.isEncrypted(),
        failure: event.isDecryptionFailure() ? (event.decryptionFailureReason ?? "UNKNOWN_ERROR") : null,
        ...(await shield(session, event)),
        reply_to: event.replyEventId ?? null,
        thread: event.threadRootId ?? null,
        replaces: event.isRelation("m.replace") ? event.relationEventId : null,
        edited: event.replacingEvent() !== null && event.replacingEvent() !== undefined,
        redacted: event.isRedacted(),
        reactions: reactions(session, event),
    };
}

async function shield(session, event) {
    if (!event.isEncrypted() || event.isDecryptionFailure() || event.isRedacted()) {
        return { shield: "none", shield_reason: null };
    }
    const info = await session.crypto.getEncryptionInfoForEvent(event);
    if (!info) return { shield: "none", shield_reason: null };
    const reason = info.shieldReason;
    return { shield: SHIELDS[info.shieldColour], shield_reason: reason === null ? null : REASONS[reason] };
}

function reactions(session, event) {
    const room = session.client.getRoom(event.getRoomId());
    const children = room?.relations.getChildEventsForEvent(event.getId(), "m.annotation", "m.reaction");
    const given = {};
    for (const [key, events] of children?.getSortedAnnotationsByKey() ?? []) {
        const senders = [...events].filter((child) => !child.isRedacted()).map((child) => child.getSender());
        if (senders.length) given[key] = senders;
    }
    return given;
}
