// A Matrix client as strict as Element, driven by lines of JSON: {"id", "session", "do", ...} in, {"id", "ok" | "error"} out.
// Whenever something in a room changes, {"session", "changed": room} is written.
import { createInterface } from "node:readline";
import { Console } from "node:console";

// Standard output belongs to the protocol; the library's chatter goes to the log.
globalThis.console = new Console(process.stderr, process.stderr);

const { Session } = await import("./session.js");
const sessions = new Map();

function write(line) {
    process.stdout.write(JSON.stringify(line) + "\n");
}

async function perform(request) {
    const { session: key, do: name, id: _, ...args } = request;
    if (name === "login") {
        const session = await Session.login(args, (room) => write({ session: key, changed: room }));
        sessions.set(key, session);
        return session.describe();
    }
    const session = sessions.get(key);
    if (!session) throw new Error(`no session ${key}`);
    const action = session.actions[name];
    if (!action) throw new Error(`unknown action ${name}`);
    if (name === "stop") sessions.delete(key);
    return (await action(args)) ?? null;
}

async function answer(line) {
    const request = JSON.parse(line);
    try {
        write({ id: request.id, ok: await perform(request) });
    } catch (error) {
        console.error(error.stack ?? error);
        write({ id: request.id, error: error.message ?? String(error), errcode: error.errcode ?? error.name ?? "" });
    }
}

process.on("unhandledRejection", (error) => console.error("unhandled", error));
// Without a reader there is nobody to live for.
createInterface({ input: process.stdin }).on("line", answer).on("close", () => process.exit(0));
write({ ready: true });
