/* Stands before nginx-rtmp and reads what a client says until it is let in: the greeting, `connect`, what comes before
   `publish` or `play`, and that. A publisher that was let in is left alone. A player is read for as long as it stays: it
   has little to say. Whatever else is said ends the connection, before nginx-rtmp hears it.

   docs/decisions/guard.md tells what each rule is for. Chunks are read as nginx-rtmp 1.2.2 reads them, so that both see
   the same messages (RTMP specification 1.0, section 5.3).

   njs frees nothing before a connection ends. So as little as can be is made for what a player says, and it is counted.

   A publisher's first bytes are looked at even so: its metadata tells what encodes the stream, which control is told by a
   file. */

import fs from "fs";

const GREETING = 1 + 1536 + 1536; // bytes: C0, C1, C2
const FIELDS = [11, 7, 3, 0]; // bytes of a chunk's header behind its first, by format
const LONG_TIME = 0xffffff; // the time follows in four bytes
const CHUNK = 128; // bytes until told otherwise
const CHUNK_STREAMS = 32; // nginx-rtmp's max_streams
const SMALL = 8192; // bytes of a message. One of them nests some 2,700 levels deep at most; nginx-rtmp stands 10,000
const LARGE = 1048576; // nginx-rtmp's max_message; also what may lie unfinished in all messages of a connection
const NAME = 64; // bytes of a command's
const LOOK = 1 + 3 + NAME; // bytes of a message that are looked at
const DEADLINE = 15; // seconds until `publish` or `play`
// Ends the connection wherever it stands: as a handshake, or as a chunk stream that there is none of behind whatever is
// unfinished. An error in a timer would close the client's side alone, and nginx-rtmp's would stay open for ever.
const NONSENSE = "?".repeat(GREETING + SMALL);
const MESSAGES = 64; // until then, without media; of a player, at once
const MESSAGES_A_SECOND = 4; // of a player
const PLAYS = 6; // of a player, at once: it seeks, or begins again
const PLAYS_A_SECOND = 0.5;
const KEPT = 4194304; // bytes that njs may keep of what a connection said: a player's, of half a day or several
const EVENT = 120; // of them for each piece that arrives, beside its own
const VERDICT = "NetStream.Publish.Start"; // in nginx-rtmp's answer to a publisher that is let in
const LOOKED_AT = 16384; // bytes behind it in which metadata may come
const METADATA = 4096; // bytes of it
const ENCODER = "\0\x07encoder\x02"; // stands in it before the length of the encoder's name
const ENCODERS = process.argv[process.argv.indexOf("-p") + 1] + "/encoders/"; // nobody reads where there is no such folder

const NUMBER = 0; // in AMF0
const STRING = 2;
const NULL = 5;
const CHUNK_SIZE = 1;
const AMF3_COMMAND = 17;
const COMMAND = 20;
const CONTROL = [CHUNK_SIZE, 3, 4, 5, 6]; // acknowledgement, user control, window size, peer bandwidth
const DATA = [15, 18]; // in AMF3 and AMF0
const MEDIA = [8, 9, 22].concat(DATA); // audio, video, aggregate

// What a client is, in this order.
const STRANGER = 0;
const CONNECTED = 1;
const PUBLISHER = 2; // asks to be one
const PLAYER = 3; // asks to be one, or is
const LET_IN = 4; // a publisher

/**
 * @typedef {object} ChunkStream
 * @property {number} length bytes of its message
 * @property {number} type
 * @property {number} received
 * @property {boolean} extended chunks have the long time
 */
/** @typedef {NginxStreamRequest & { sendUpstream(data: string): void }} Session */
/**
 * @typedef {object} Client
 * @property {Session} session
 * @property {number} role
 * @property {boolean} proxied the line with the client's address has passed, which this nginx puts before all else
 * @property {number} greeting bytes of it that are still to come
 * @property {string} held bytes that cannot be judged yet
 * @property {boolean} passed they have been let through even so
 * @property {number} chunk bytes of a chunk
 * @property {number} left bytes of the present one
 * @property {number} current its chunk stream
 * @property {number} unfinished bytes of messages whose end has not come
 * @property {ChunkStream[]} streams
 * @property {number} messages how many more may come now
 * @property {number} kept bytes that njs keeps until it goes
 * @property {number} plays how many more may come now
 * @property {number} counted when these two were, milliseconds
 * @property {string} room that a publisher asked for
 * @property {number} curious bytes that are still looked at for metadata
 * @property {number} described chunk stream of a message that may be it; 0: none is coming
 * @property {string} metadata what has come of it
 * @property {string} encoder as it has it
 */

/** @param {Session} session */
function guard(session) {
    const client = newClient(session);
    const deadline = setTimeout(() => session.sendUpstream(NONSENSE), DEADLINE * 1000);
    session.on("upload", (data) => {
        if (client.role === LET_IN) return leave(client, data);
        const asked = client.role >= PUBLISHER;
        const all = client.held ? client.held + data : data;
        client.kept += EVENT + data.length + (client.held ? 2 * all.length : 0);
        if (client.kept > KEPT) refuse("enough");
        const passed = judge(client, all);
        if (!asked && client.role >= PUBLISHER) clearTimeout(deadline);
        if (!asked && client.role === PUBLISHER) waitForVerdict(client);
        client.held = passed < all.length ? all.slice(passed) : "";
        if (passed) session.send(passed < all.length ? all.slice(0, passed) : all); // flags given would cost 280 bytes
    });
}

/**
 * @param {Session} session
 * @returns {Client}
 */
function newClient(session) {
    return {
        session,
        role: STRANGER,
        proxied: false,
        greeting: GREETING,
        held: "",
        passed: false,
        chunk: CHUNK,
        left: 0,
        current: 0,
        unfinished: 0,
        streams: [],
        messages: MESSAGES,
        kept: 0,
        plays: PLAYS,
        counted: 0,
        room: "",
        curious: LOOKED_AT,
        described: 0,
        metadata: "",
        encoder: "",
    };
}

/**
 * nginx-rtmp's answer lets a publisher in. Where it refuses, it closes the connection.
 * @param {Client} client
 */
function waitForVerdict(client) {
    let tail = "";
    client.session.on("download", (data) => {
        tail += data;
        if (tail.indexOf(VERDICT) >= 0) {
            client.role = LET_IN;
            client.session.off("download");
            tell(client);
        }
        tail = tail.slice(-VERDICT.length);
        client.session.send(data);
    });
}

/**
 * What a publisher says that was let in passes, whatever it is.
 * @param {Client} client
 * @param {string} data
 */
function leave(client, data) {
    const all = client.held + data;
    client.session.send(client.passed ? data : all);
    client.passed = true; // what is held
    if (client.curious > 0) client.held = all.slice(look(client, all)); // one piece may be all of them
    client.curious -= EVENT + data.length;
    if (client.curious <= 0) client.session.off("upload");
}

/**
 * Likewise how far it has been read. What cannot be understood is not looked at any further.
 * @param {Client} client
 * @param {string} all
 */
function look(client, all) {
    try {
        return judge(client, all);
    } catch (_) {
        client.curious = 0;
        return all.length;
    }
}

/**
 * How many of these bytes may pass now.
 * @param {Client} client
 * @param {string} all those that came, behind those that were held
 */
function judge(client, all) {
    if (!client.proxied) {
        const line = all.indexOf("\n") + 1;
        if (!line) return 0;
        client.proxied = true;
        client.greeting += line;
    }
    let at = Math.min(client.greeting, all.length);
    client.greeting -= at;
    while (at < all.length) {
        if (client.left) {
            const part = Math.min(client.left, all.length - at);
            if (client.described && client.described === client.current) describe(client, all.slice(at, at + part));
            client.left -= part;
            at += part;
        } else {
            const payload = header(client, all, at);
            if (payload < 0) return at;
            at = payload;
        }
    }
    return at;
}

/**
 * Reads the header of a chunk and judges the message that begins with it.
 * @param {Client} client
 * @param {string} all
 * @param {number} start
 * @returns {number} where its payload begins; -1 when more has to come first
 */
function header(client, all, start) {
    const first = all.charCodeAt(start);
    const format = first >> 6;
    const number = first & 63;
    if (number < 2 || number >= CHUNK_STREAMS) refuse("chunk stream"); // 0 and 1: a longer number follows
    let at = start + 1 + FIELDS[format];
    if (all.length < at) return -1;
    const stream = client.streams[number] || (client.streams[number] = { length: 0, type: 0, received: 0, extended: false });
    if (stream.received && format < 3) refuse("a message within a message");
    const extended = format < 3 ? big(all, start + 1, 3) === LONG_TIME : stream.extended;
    if (extended) at += 4;
    const length = format < 2 ? big(all, start + 4, 3) : stream.length;
    const type = format < 2 ? all.charCodeAt(start + 7) : stream.type;
    const part = Math.min(client.chunk, length - stream.received);
    if (!stream.received) {
        if (all.length < at + Math.min(part, LOOK)) return -1;
        message(client, type, length, all, at);
        if (DATA.indexOf(type) >= 0 && client.curious > 0 && !client.described && length <= METADATA) {
            client.described = number;
            client.metadata = "";
        }
        stream.length = length;
        stream.type = type;
        stream.extended = extended;
    } else if (all.length < at) return -1;
    stream.received += part;
    client.unfinished += part;
    if (stream.received === length) {
        client.unfinished -= length;
        stream.received = 0;
    }
    if (client.unfinished > LARGE) refuse("too much unfinished");
    client.left = part;
    client.current = number;
    return at;
}

/**
 * @param {Client} client
 * @param {number} type
 * @param {number} length
 * @param {string} all
 * @param {number} at where its payload begins
 */
function message(client, type, length, all, at) {
    const media = MEDIA.indexOf(type) >= 0;
    const publishes = client.role === PUBLISHER || client.role === LET_IN;
    if (media ? !publishes || length > LARGE : length > SMALL) refuse("out of place, or too long");
    if (!media) count(client);
    if (type === COMMAND) command(client, all, at, length);
    else if (type === AMF3_COMMAND) command(client, all, at + 1, length - 1);
    else if (type === CHUNK_SIZE) {
        const size = length === 4 ? big(all, at, 4) : 0;
        // Of what it has read already, nginx-rtmp keeps what fits into a buffer of the new size, and loses the rest:
        // after a smaller one it would see other messages than are seen here.
        if (size < client.chunk || size > LARGE) refuse("chunk size");
        client.chunk = size;
    } else if (!media && CONTROL.indexOf(type) < 0) refuse("out of place");
}

/**
 * @param {Client} client
 * @param {string} all
 * @param {number} at
 * @param {number} length bytes of it
 */
function command(client, all, at, length) {
    const said = name(all, at, length);
    if ((said === "connect") !== (client.role === STRANGER)) refuse("connect comes first, and once");
    if (said === "connect") client.role = CONNECTED;
    else if (said === "publish") {
        if (client.role !== CONNECTED) refuse("a second stream");
        client.role = PUBLISHER;
        client.room = room(all, at + 3 + said.length);
    } else if (said === "play" || said === "play2") {
        if (client.role === PUBLISHER || client.role === LET_IN) refuse("a second stream");
        client.role = PLAYER;
        if (--client.plays < 0) refuse("too many plays");
    }
}

/**
 * A command's name, its first value; in lower case, as nginx-rtmp looks commands up.
 * @param {string} all
 * @param {number} at
 * @param {number} length bytes of the command
 */
function name(all, at, length) {
    const size = length > 3 ? big(all, at + 1, 2) : 0;
    if (size < 1 || size > NAME || size + 3 > length || all.charCodeAt(at) !== STRING) refuse("not a command");
    const said = all.slice(at + 3, at + 3 + size).toLowerCase();
    if (said.indexOf("\0") >= 0) refuse("not a name"); // where it would end for nginx-rtmp
    return said;
}

/**
 * The room's number that the name of a stream to publish begins with.
 * @param {string} all
 * @param {number} at where the transaction stands, which comes before it
 */
function room(all, at) {
    const kinds = [all.charCodeAt(at), all.charCodeAt(at + 9), all.charCodeAt(at + 10)];
    if (kinds[0] !== NUMBER || kinds[1] !== NULL || kinds[2] !== STRING) return "";
    const begin = at + 13;
    const end = begin + Math.min(10, big(all, at + 11, 2));
    let digits = begin;
    while (digits < end && all.charCodeAt(digits) >= 48 && all.charCodeAt(digits) <= 57) digits++;
    return all.slice(begin, digits);
}

/**
 * Takes a piece of a message that may be metadata.
 * @param {Client} client
 * @param {string} piece
 */
function describe(client, piece) {
    client.metadata += piece;
    if (client.metadata.length < client.streams[client.described].length) return;
    client.described = 0;
    const at = client.metadata.indexOf(ENCODER) + ENCODER.length;
    if (at < ENCODER.length) return;
    client.encoder = client.metadata.slice(at + 2, at + 2 + Math.min(NAME, big(client.metadata, at, 2)));
    if (!client.encoder) return;
    client.curious = 0;
    if (client.role === LET_IN) tell(client);
}

/** @param {Client} client */
function tell(client) {
    if (!client.room || !client.encoder) return;
    try {
        fs.writeFileSync(ENCODERS + client.room, client.encoder, { mode: 0o600 });
    } catch (_) {
        return; // it is a name for the anchor to read, and nothing else
    }
}

/** @param {Client} client */
function count(client) {
    if (client.role === PLAYER) {
        const now = Date.now();
        const seconds = Math.max(0, (now - client.counted) / 1000); // the clock may be set back
        client.counted = now;
        client.messages = Math.min(MESSAGES, client.messages + seconds * MESSAGES_A_SECOND);
        client.plays = Math.min(PLAYS, client.plays + seconds * PLAYS_A_SECOND);
    }
    if (--client.messages < 0) refuse("too many messages");
}

/**
 * @param {string} all
 * @param {number} at
 * @param {number} size bytes
 */
function big(all, at, size) {
    let value = 0;
    for (let i = at; i < at + size; i++) value = value * 256 + all.charCodeAt(i);
    return value;
}

/** @param {string} why */
function refuse(why) {
    throw new Error(why);
}

export default { guard };
