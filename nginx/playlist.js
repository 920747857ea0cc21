/* Answers an HLS playlist: the one that the rtmp nginx wrote, without segments that no viewer should be given.

   Segments are left out at its front or its end only: so a segment's number never changes, and what was listed goes as
   if by age. docs/decisions/first-picture.md tells why each is left out. */

import fs from "fs";

const PACKET = 188; // bytes, of an MPEG transport stream
const VIDEO = 0x100; // the packet id that nginx-rtmp writes video under, whatever the encoder sends
const STEP = 16 * PACKET; // bytes read at once: a picture begins within the first few packets
const MOST = 400; // such steps for one request, 1.2 MB: the encoder chooses what a segment holds
const SOUND_ALONE = 12; // seconds of sound after which no picture is waited for; key frames come more often than that
const PARTED = "#EXT-X-DISCONTINUITY\n";
const ENTRY = "#EXTINF:";

/**
 * @typedef {object} Segment
 * @property {number} index in the playlist as it was written
 * @property {number} began milliseconds since the epoch; its name
 * @property {number} seconds
 * @property {boolean} parted an encoder began anew with it
 * @property {string} text its entry in the playlist
 */
/** @typedef {Segment[]} Run what an encoder sent from one beginning to the next */

/**
 * To a viewer whom control was asked about: what it told of the room came with its verdict.
 * @param {NginxHTTPRequest} r
 */
function answer(r) {
    if (r.variables.origin) return r.internalRedirect("@origin_list"); // the room is live at another node
    send(r, playlist(folderOf(r), Number(r.variables.since) || 0, Number(r.variables.sound_alone_at) || 0));
}

/**
 * To a viewer whom control has let in before: what it told of the room is in a file. What is listed is kept, for those
 * who ask within the same half second.
 * @param {NginxHTTPRequest} r
 */
function answerAndKeep(r) {
    const known = r.variables;
    const told = read(`${known.verdict_dir}/${known.room}`).split(" ");
    if (told.length < 2) return r.internalRedirect("@judged_list"); // removed in this moment
    const shown = playlist(folderOf(r), Number(told[0]), Number(told[1]));
    if (shown) keep(r, shown);
    send(r, shown);
}

/** @param {NginxHTTPRequest} r */
function folderOf(r) {
    return `${r.variables.hls_dir}/${r.variables.room}`;
}

/**
 * @param {NginxHTTPRequest} r
 * @param {string} shown
 */
function send(r, shown) {
    if (!shown) return r.return(404);
    r.headersOut["Content-Type"] = "application/vnd.apple.mpegurl";
    r.return(200, shown);
}

/**
 * Where nginx looks for it. Without room on the disk each request is answered by this script.
 * @param {NginxHTTPRequest} r
 * @param {string} shown
 */
function keep(r, shown) {
    const known = r.variables;
    const lists = `${known.list_dir}/${known.half_second}`;
    const file = `${lists}/${known.room}`;
    try {
        if (!exists(lists)) begin(String(known.list_dir), String(known.half_second));
        fs.writeFileSync(`${file}.${known.connection}`, shown);
        fs.renameSync(`${file}.${known.connection}`, file);
    } catch (error) {
        return; // likewise where another worker removes the folder in this moment
    }
}

/**
 * Makes the folder of a half second, and removes those of others; not of its neighbours, since workers' times differ.
 * @param {string} all
 * @param {string} now seconds since the epoch
 */
function begin(all, now) {
    fs.mkdirSync(`${all}/${now}`, { recursive: true });
    fs.readdirSync(all)
        .filter((each) => Math.abs(Number(each) - Number(now)) > 1)
        .forEach((each) => fs.rmdirSync(`${all}/${each}`, { recursive: true }));
}

/**
 * @param {string} folder
 * @param {number} since when the broadcast began, milliseconds since the epoch; 0 for unknown
 * @param {number} soundAloneAt when it was last known to send no picture, likewise
 * @returns {string} "" when there is nothing to list
 */
function playlist(folder, since, soundAloneAt) {
    const text = read(`${folder}/index.m3u8`);
    const hasPicture = finder(folder);
    const first = text.indexOf(ENTRY);
    if (first < 0) return "";
    if (text.lastIndexOf(PARTED) < first) {
        // Almost always, and many times as fast as the rest: the encoder began once, and with a picture.
        const began = name(text.slice(first, first + 40));
        if (began >= since && hasPicture(began)) return text;
    }
    const segments = parse(text);
    const runs = split(segments.slice(firstPresent(segments, folder, since)));
    return written(text, withPicture(runs, hasPicture, soundAloneAt));
}

/** @param {string} file */
function read(file) {
    try {
        return fs.readFileSync(file, "utf8");
    } catch (error) {
        return "";
    }
}

/** @param {string} text */
function parse(text) {
    const parts = text.split(ENTRY);
    return parts.slice(1).map((part, index) => ({
        index,
        began: name(part),
        seconds: parseFloat(part),
        parted: parts[index].endsWith(PARTED),
        text: ENTRY + part.replace(PARTED, ""),
    }));
}

/** @param {string} entry */
function name(entry) {
    return parseInt(entry.slice(entry.indexOf("\n") + 1), 10);
}

/**
 * The playlist with these segments alone.
 * @param {string} text
 * @param {Run[]} runs
 */
function written(text, runs) {
    if (!runs.length) return "";
    const head = text.slice(0, text.indexOf(ENTRY)).replace(PARTED, "");
    const number = /#EXT-X-MEDIA-SEQUENCE:([0-9]+)/.exec(head);
    const first = (number ? Number(number[1]) : 0) + runs[0][0].index;
    const list = runs.map((run) => (run[0].parted ? PARTED : "") + run.map((segment) => segment.text).join(""));
    return head.replace(/#EXT-X-MEDIA-SEQUENCE:[0-9]+/, `#EXT-X-MEDIA-SEQUENCE:${first}`) + list.join("");
}

/**
 * Index of the first segment of this broadcast whose file is there: files are removed by age, and rare key frames make a
 * playlist longer than that.
 * @param {Segment[]} segments
 * @param {string} folder
 * @param {number} since
 */
function firstPresent(segments, folder, since) {
    const first = segments.findIndex((segment) => segment.began >= since && exists(`${folder}/${segment.began}.ts`));
    return first < 0 ? segments.length : first;
}

/** @param {string} file */
function exists(file) {
    try {
        fs.accessSync(file);
        return true;
    } catch (error) {
        return false;
    }
}

/** @param {Segment[]} segments */
function split(segments) {
    /** @type {Run[]} */
    const runs = [];
    segments.forEach((segment) => {
        if (segment.parted || !runs.length) runs.push([]);
        runs[runs.length - 1].push(segment);
    });
    return runs;
}

/**
 * Without sound that comes before the first picture of a run, and without all before it, since the numbers left must have
 * no gap. Runs of sound at the end stay as far as they are meant so.
 * @param {Run[]} runs
 * @param {(began: number) => boolean} hasPicture
 * @param {number} soundAloneAt
 */
function withPicture(runs, hasPicture, soundAloneAt) {
    /** @type {Run[]} */
    let shown = [];
    /** @type {Run[]} */
    let sound = [];
    runs.forEach((run) => {
        const first = run.findIndex((segment) => hasPicture(segment.began));
        if (first < 0) return sound.push(run);
        if (first > 0 || sound.length) shown = [];
        sound = [];
        run[first].parted = run[0].parted;
        shown.push(run.slice(first));
    });
    const waiting = sound.findIndex((run) => !isMeantAsSound(run, soundAloneAt));
    return shown.concat(waiting < 0 ? sound : sound.slice(0, waiting));
}

/**
 * @param {Run} run
 * @param {number} soundAloneAt
 */
function isMeantAsSound(run, soundAloneAt) {
    const seconds = run.reduce((sum, segment) => sum + segment.seconds, 0);
    return run[0].began <= soundAloneAt || seconds >= SOUND_ALONE;
}

/**
 * Tells by its name whether a segment has a picture. Where that would take too much reading it counts as one that has.
 * @param {string} folder
 */
function finder(folder) {
    const buffer = Buffer.alloc(STEP);
    let steps = MOST;
    return (/** @type {number} */ began) => {
        let file = null;
        try {
            file = fs.openSync(`${folder}/${began}.ts`);
            let size = STEP;
            while (size === STEP) {
                if (steps-- <= 0) return true;
                size = fs.readSync(file, buffer, 0, STEP, null);
                if (hasVideo(buffer, size)) return true;
            }
        } catch (error) {
            return false; // removed in this moment
        } finally {
            if (file !== null) fs.closeSync(file);
        }
        return false;
    };
}

/**
 * @param {Buffer} buffer
 * @param {number} size bytes that were read into it
 */
function hasVideo(buffer, size) {
    for (let at = 0; at + PACKET <= size; at += PACKET) {
        if ((((buffer[at + 1] & 0x1f) << 8) | buffer[at + 2]) === VIDEO) return true;
    }
    return false;
}

export default { answer, answerAndKeep };
