/* The passwords of a room: shown, copied and changed by its owner. */

import { ask, byId, element, onSubmit, within } from "./common.js";
import { t } from "./texts.js";

const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"; // none that is taken for another
const LENGTH = 16; // of one that is made here: 79 bits

/** @typedef {"liveRoomAnchorPwd" | "liveRoomUserPwd" | "liveRoomAssistPwd"} Field */
/** @type {{ field: Field, key: "anchorPwd" | "viewingPwd" | "assistPwd", help: "anchorPwdHelp" | "viewingPwdHelp" | "assistPwdHelp" }[]} */
const KINDS = [
  { field: "liveRoomAnchorPwd", key: "anchorPwd", help: "anchorPwdHelp" },
  { field: "liveRoomUserPwd", key: "viewingPwd", help: "viewingPwdHelp" },
  { field: "liveRoomAssistPwd", key: "assistPwd", help: "assistPwdHelp" },
];

/** @type {Field} */
let changing = "liveRoomAnchorPwd";
/** @type {() => Promise<void>} */
let reload = async () => {};

/**
 * @param {any} room as GetMyLiveRoom has it
 * @param {() => Promise<void>} changed is called once one was
 */
export function showPasswords(room, changed) {
  reload = changed;
  const shown = KINDS.filter(({ field }) => field !== "liveRoomUserPwd" || !room.isOpen);
  byId("passwords").replaceChildren(...shown.map(({ field, key, help }) => line(field, key, help, room[field])));
}

/**
 * @param {Field} field
 * @param {"anchorPwd" | "viewingPwd" | "assistPwd"} key of its text
 * @param {"anchorPwdHelp" | "viewingPwdHelp" | "assistPwdHelp"} help
 * @param {string} value
 */
function line(field, key, help, value) {
  const id = `the-${field}`;
  const input = document.createElement("input");
  Object.assign(input, { id, className: "secret", type: "password", readOnly: true, value, autocomplete: "off" });
  const label = element("label", { htmlFor: id }, element("span", {}, t(key)));
  const buttons = [shower(input), copier(input), button("change", key, () => open(field, key, help))];
  return element("li", {}, label, element("p", { className: "row" }, input, ...buttons));
}

/**
 * @param {HTMLInputElement} input
 * @param {HTMLElement} made
 */
export function toggle(input, made) {
  const hidden = input.type === "password";
  input.type = hidden ? "text" : "password";
  made.textContent = t(hidden ? "hide" : "show");
}

/**
 * @param {HTMLInputElement} input
 * @param {HTMLElement} made
 */
export async function copy(input, made) {
  try {
    await navigator.clipboard.writeText(input.value);
  } catch {
    // Without TLS browsers keep the clipboard from scripts, but not from a selection.
    const type = input.type;
    input.type = "text";
    input.select();
    document.execCommand("copy");
    input.type = type;
  }
  made.textContent = t("copied");
  setTimeout(() => (made.textContent = t("copy")), 2000);
}

/** @param {HTMLInputElement} input */
function shower(input) {
  const made = element("button", { type: "button" }, t("show"));
  made.addEventListener("click", () => toggle(input, made));
  return made;
}

/** @param {HTMLInputElement} input */
function copier(input) {
  const made = element("button", { type: "button" }, t("copy"));
  made.addEventListener("click", () => copy(input, made));
  return made;
}

/**
 * @param {"change"} text
 * @param {"anchorPwd" | "viewingPwd" | "assistPwd"} key
 * @param {() => void} work
 */
function button(text, key, work) {
  const made = element("button", { type: "button" }, t(text));
  made.setAttribute("aria-label", `${t(text)}: ${t(key)}`);
  made.addEventListener("click", work);
  return made;
}

/**
 * @param {Field} field
 * @param {"anchorPwd" | "viewingPwd" | "assistPwd"} key
 * @param {"anchorPwdHelp" | "viewingPwdHelp" | "assistPwdHelp"} help
 */
function open(field, key, help) {
  changing = field;
  byId("new-pwd-title").textContent = t(key);
  byId("new-pwd-help").textContent = t(help);
  byId("new-pwd-form").reset();
  within(byId("new-pwd-form"), ".error").textContent = "";
  byId("changed").textContent = "";
  byId("new-pwd").showModal();
}

/** @returns {string} */
function random() {
  // Of bytes that would come out more often than others none is taken.
  const most = 256 - (256 % LETTERS.length);
  let made = "";
  while (made.length < LENGTH) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < most) made += LETTERS[byte % LETTERS.length];
  }
  return made;
}

/** Where there is a dialog for it. */
export function listen() {
  byId("make-pwd").addEventListener("click", () => {
    /** @type {HTMLInputElement} */
    const input = within(byId("new-pwd-form"), "[name=password]");
    input.value = random();
  });
  byId("new-pwd-cancel").addEventListener("click", () => byId("new-pwd").close());
  onSubmit(byId("new-pwd-form"), async (fields) => {
    await ask("ModifyMyLiveRoom", { [changing]: fields.password });
    byId("new-pwd").close();
    await reload();
    byId("changed").textContent = t("saved");
    /** @type {HTMLElement} */
    const opener = within(byId("passwords"), `#the-${changing} ~ button:last-child`); // a new one
    opener.focus();
  });
}
