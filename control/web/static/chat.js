/* The chat beside the player: what others write, one's own line, and what the room's owner does about either. */

import { Refused, ask, byId, element, logIn, me, messageOf, onSubmit, whileShut, within } from "./common.js";
import { Status } from "./statuses.js";
import { language, t } from "./texts.js";

const KEPT = 200; // lines
const NEAR = 48; // pixels from the end, within which the list follows what comes
const MUTE = 600; // seconds
const BAN = 3600; // seconds

/**
 * @typedef {object} Message
 * @property {number} number
 * @property {number} userId
 * @property {string} nickName
 * @property {string} text
 * @property {number} at seconds since the epoch
 * @property {0 | 1} deleted
 */
/** @typedef {{ slowSeconds: number, mutedWords: string[], mutedList: { userId: number, nickName: string }[] }} Rules */

let room = 0;
let ticket = ""; // of a private room
let assists = false;
let open = false;

/**
 * @param {number} roomId
 * @param {string} shown the ticket that a private room asks for, or nothing
 * @param {boolean} [asAssistant] who keeps order in it without owning it
 */
export function enterChat(roomId, shown, asAssistant = false) {
  room = roomId;
  ticket = shown;
  assists = asAssistant;
}

/** Until the server tells what is in it: it does not where one may not read. */
export function closeChat() {
  open = false;
  showForm();
}

/** @param {{ slowSeconds: number, messages: Message[] }} chat all of it */
export function showChat(chat) {
  open = true;
  showForm();
  byId("slow").hidden = chat.slowSeconds === 0;
  byId("slow").textContent = `${t("slowMode")} ${chat.slowSeconds} ${t("seconds")}`;
  byId("lines").replaceChildren(...chat.messages.map(line));
  toEnd();
}

/** @param {Message} message new, or deleted */
export function showMessage(message) {
  const lines = byId("lines");
  const before = lines.querySelector(`[data-number="${message.number}"]`);
  if (before) return retell(before, message);
  const follows = atEnd();
  lines.append(line(message));
  while (lines.childElementCount > KEPT) lines.firstElementChild?.remove();
  if (follows) toEnd();
  else byId("newest").hidden = false;
}

/**
 * @param {Element} before
 * @param {Message} message
 */
function retell(before, message) {
  const focused = before.contains(document.activeElement);
  before.replaceWith(line(message));
  if (focused) byId("lines").focus();
}

function showForm() {
  byId("write").hidden = !open;
  byId("chat-closed").hidden = open;
  byId("chat-login").hidden = open || me.account !== "";
  byId("chat-closed").textContent = t(me.account ? "chatClosed" : "chatLogin");
  byId("rules-box").hidden = !open || !isKept();
  if (open) return;
  byId("lines").replaceChildren();
  byId("newest").hidden = true;
  byId("slow").hidden = true;
}

function isKept() {
  return assists || me.liveRoomId === room;
}

function atEnd() {
  const lines = byId("lines");
  return lines.scrollHeight - lines.scrollTop - lines.clientHeight < NEAR;
}

function toEnd() {
  const lines = byId("lines");
  lines.scrollTop = lines.scrollHeight;
  byId("newest").hidden = true;
}

/** @param {Message} message */
function line(message) {
  const at = new Date(message.at * 1000);
  const time = element("time", { dateTime: at.toISOString() }, at.toLocaleTimeString(language, { timeStyle: "short" }));
  const name = element("bdi", { className: "name" }, message.nickName);
  const text = element("bdi", {}, message.deleted ? t("deletedMessage") : message.text);
  text.classList.toggle("soft", message.deleted === 1);
  const made = element("p", {}, time, " ", name, " ", text);
  made.dataset.number = String(message.number);
  if (isKept() && !message.deleted) made.append(" ", ...tools(message));
  return made;
}

/**
 * What the owner may do about a message, behind one button.
 * @param {Message} message
 */
function tools(message) {
  const user = { liveRoomId: room, userId: message.userId, status: 1 };
  const it = { liveRoomId: room, number: message.number };
  const works = [tool("deleteMessage", message, () => ask("DeleteRoomMessage", it))];
  if (message.userId !== me.userId) {
    works.push(tool("mute", message, () => ask("MuteUser", { ...user, timeout: MUTE })));
    works.push(tool("ban", message, () => ask("BanUser", { ...user, timeout: BAN })));
  }
  const box = element("span", { className: "row", hidden: true }, ...works);
  const more = element("button", { type: "button", className: "more" }, "⋯");
  more.setAttribute("aria-label", `${t("moderate")}: ${message.nickName}`);
  more.setAttribute("aria-expanded", "false");
  more.addEventListener("click", () => {
    box.hidden = !box.hidden;
    more.setAttribute("aria-expanded", String(!box.hidden));
  });
  return [more, box];
}

/**
 * @param {"deleteMessage" | "mute" | "ban" | "lift"} key of its text
 * @param {{ nickName: string }} about
 * @param {() => Promise<unknown>} work
 */
function tool(key, about, work) {
  const made = element("button", { type: "button" }, t(key));
  made.setAttribute("aria-label", `${t(key)}: ${about.nickName}`);
  made.addEventListener("click", async () => {
    byId("chat-trouble").textContent = "";
    const doIt = async () => {
      try {
        await work();
        byId("chat-done").textContent = `${t("done")} ${t(key)}: ${about.nickName}`;
        if (byId("rules-box").open) showMuted(await ask("SetChat", { liveRoomId: room }));
      } catch (failure) {
        byId("chat-trouble").textContent = messageOf(failure);
      }
    };
    await whileShut(made, doIt, () => byId("lines"));
  });
  return made;
}

async function loadRules() {
  const rules = await ask("SetChat", { liveRoomId: room });
  /** @type {HTMLInputElement} */
  const slow = within(byId("rules"), "[name=slowSeconds]");
  /** @type {HTMLTextAreaElement} */
  const words = within(byId("rules"), "[name=mutedWords]");
  slow.value = String(rules.slowSeconds);
  words.value = rules.mutedWords.join("\n");
  showMuted(rules);
}

/** @param {Rules} rules */
function showMuted(rules) {
  byId("muted-title").hidden = rules.mutedList.length === 0;
  byId("muted").replaceChildren(
    ...rules.mutedList.map((user) => {
      const lift = () => ask("MuteUser", { liveRoomId: room, userId: user.userId, status: 0 });
      return element("li", {}, element("bdi", {}, user.nickName), tool("lift", user, lift));
    }),
  );
}

byId("newest").addEventListener("click", toEnd);
byId("lines").addEventListener("scroll", () => atEnd() && (byId("newest").hidden = true));
byId("chat-login").addEventListener("click", logIn);
onSubmit(byId("write"), async (fields) => {
  try {
    await ask("SendRoomMessage", { liveRoomId: room, text: fields.text, ticket });
  } catch (failure) {
    const wrong = failure instanceof Refused && failure.status === Status.PARAM_ERROR;
    throw wrong && failure.message.endsWith(": text") ? new Error(t("refusedText")) : failure;
  }
  byId("write").reset();
  toEnd();
});
byId("rules-box").addEventListener("toggle", () => byId("rules-box").open && loadRules());
onSubmit(byId("rules"), async (fields) => {
  const mutedWords = fields.mutedWords.split("\n");
  await ask("SetChat", { liveRoomId: room, slowSeconds: fields.slowSeconds, mutedWords });
  await loadRules();
  byId("chat-done").textContent = t("saved");
});
