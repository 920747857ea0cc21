/* Stands before nginx-rtmp and reads what a client says until it is let in: the greeting, `connect`, what comes before
   `publish` or `play`, and that. A publisher that was let in is left alone. A player is read for as long as it stays: it
   has little to say. Whatever else is said ends the connection, before nginx-rtmp hears it.

   docs/decisions/guard.md tells what each rule is for. Chunks are read as nginx-rtmp 1.2.2 reads them, so that both see
   the same messages (RTMP specification 1.0, section 5.3).

   njs frees nothing before a connection ends. So as little as can be is made for what a player says, and it is counted. */

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

const STRING = 2; // in AMF0
const CHUNK_SIZE = 1;
const AMF3_COMMAND = 17;
const COMMAND = 20;
const CONTROL = [CHUNK_SIZE, 3, 4, 5, 6]; // acknowledgement, user control, window size, peer bandwidth
const MEDIA = [8, 9, 15, 18, 22]; // audio, video, data in AMF3 and AMF0, aggregate

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
 * @property {number} chunk bytes of a chunk
 * @property {number} left bytes of the present one
 * @property {number} unfinished bytes of messages whose end has not come
 * @property {ChunkStream[]} streams
 * @property {number} messages how many more may come now
 * @property {number} kept bytes that njs keeps until it goes
 * @property {number} plays how many more may come now
 * @property {number} counted when these two were, milliseconds
 */

/** @param {Session} session */
function guard(session) {
    const client = newClient(session);
    const deadline = setTimeout(() => session.sendUpstream(NONSENSE), DEADLINE * 1000);
    session.on("upload", (data) => {
        const asked = client.role >= PUBLISHER;
        const all = client.held ? client.held + data : data;
        client.kept += EVENT + data.length + (client.held ? 2 * all.length : 0);
        if (client.kept > KEPT) refuse("enough");
        const passed = judge(client, all);
        if (!asked && client.role >= PUBLISHER) clearTimeout(deadline);
        if (!asked && client.role === PUBLISHER) waitForVerdict(client);
        if (client.role === LET_IN) session.off("upload");
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
        chunk: CHUNK,
        left: 0,
        unfinished: 0,
        streams: [],
        messages: MESSAGES,
        kept: 0,
        plays: PLAYS,
        counted: 0,
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
        }
        tail = tail.slice(-VERDICT.length);
        client.session.send(data);
    });
}

/**
 * How many of these bytes may pass now.
 * @param {Client} client
 * @param {string} all those that came, behind those that were held
 */
function judge(client, all) {
    if (client.role === LET_IN) return all.length;
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
    if (media ? client.role !== PUBLISHER || length > LARGE : length > SMALL) refuse("out of place, or too long");
    if (!media) count(client);
    if (type === COMMAND) command(client, name(all, at, length));
    else if (type === AMF3_COMMAND) command(client, name(all, at + 1, length - 1));
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
 * @param {string} said in lower case, as nginx-rtmp looks commands up
 */
function command(client, said) {
    if ((said === "connect") !== (client.role === STRANGER)) refuse("connect comes first, and once");
    if (said === "connect") client.role = CONNECTED;
    else if (said === "publish") {
        if (client.role !== CONNECTED) refuse("a second stream");
        client.role = PUBLISHER;
    } else if (said === "play" || said === "play2") {
        if (client.role === PUBLISHER) refuse("a second stream");
        client.role = PLAYER;
        if (--client.plays < 0) refuse("too many plays");
    }
}

/**
 * A command's name, its first value.
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
