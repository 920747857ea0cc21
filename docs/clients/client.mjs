/* A client of QPlus Live Server, for Node.js 18 and later. In browsers it works on the server's own site alone: no other is
   let in.

     node client.mjs http://localhost:8080 ann 13500000001 change-it

   registers, logs in, makes a room, and prints where to push and what to play. */

const DONE = 10000;
const ACCOUNT_TAKEN = 10102;
const LIVE = 1; // GetLiveRoomList's type

/** An answer other than done: docs/api.md has the numbers. */
export class Refused extends Error {
  constructor(status, desc) {
    super(`${status} ${desc}`);
    this.status = status;
  }
}

export class Client {
  #site;
  #session = "";

  /** @param {string} site `http://host:port` */
  constructor(site) {
    this.#site = site.replace(/\/$/, "");
  }

  /** An API's answer. Throws Refused, and Error where there is none. */
  async ask(api, fields = {}) {
    const body = this.#session ? { ...fields, sessionId: this.#session } : fields;
    const answer = await fetch(`${this.#site}/live/${api}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${api}: HTTP ${answer.status}`);
    const reply = await answer.json();
    if (reply.status !== DONE) throw new Refused(reply.status, reply.desc);
    return reply;
  }

  /** Once is enough. */
  async register(account, phone, password) {
    try {
      await this.ask("Register", { account, phone, password });
    } catch (failure) {
      if (failure.status !== ACCOUNT_TAKEN) throw failure;
    }
  }

  async logIn(account, password) {
    this.#session = (await this.ask("Login", { account, password })).sessionId;
  }

  /** The user's own, made where there is none. */
  async room(liveRoomName) {
    await this.ask("CreateLiveRoom", { liveRoomName });
    return this.ask("GetMyLiveRoom");
  }

  /** The newest first. */
  async liveRooms() {
    return (await this.ask("GetLiveRoomList", { type: LIVE, count: 20 })).list;
  }

  /** RTMP and HLS addresses, good for this user. A private room needs its viewing password. */
  async play(roomId, password = "") {
    const reply = await this.ask("PlayLiveStream", { liveroomId: roomId, status: 1, liveRoomUserPwd: password });
    return [reply.playRtmpUrl, reply.playHlsUrl];
  }
}

/** For an encoder. Of the own room alone: others see no anchor password. */
export function pushAddress(room) {
  return `${room.playRtmpUrl.split("?")[0]}?pwd=${room.liveRoomAnchorPwd}`;
}

async function main(site, account, phone, password) {
  const client = new Client(site);
  await client.register(account, phone, password);
  await client.logIn(account, password);
  console.log("push:", pushAddress(await client.room(`${account}'s room`)));
  for (const live of await client.liveRooms()) {
    console.log("live:", live.liveRoomId, live.liveRoomName, `(${live.playerCount} watching)`);
    await client.ask("FollowLiveRoom", { liveRoomId: live.liveRoomId, isFollow: 1 });
    if (live.needPassword) continue;
    for (const address of await client.play(live.liveRoomId)) console.log("play:", address);
  }
}

if (globalThis.process?.argv[1]?.endsWith("client.mjs")) await main(...process.argv.slice(2));
