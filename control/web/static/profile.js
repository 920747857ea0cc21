/* A user's own page: their name and picture, where they are logged in, their password, and the end of their account. */

import { ask, byId, element, face, logIn, me, messageOf, onSession, onSubmit, refresh, start } from "./common.js";
import { Crop } from "./crop.js";
import { showNotices } from "./notices.js";
import { language, t } from "./texts.js";

/**
 * @typedef {object} Login as GetMySessions has it
 * @property {string} loginId
 * @property {number} isCurrent
 * @property {number} loginTime
 * @property {number} lastTime
 * @property {string} address
 * @property {string} client
 */

const times = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
const crop = new Crop(byId("crop"), byId("zoom"));
/** By a part of what they call themselves; the first that fits. @type {[RegExp, string][]} */
const BROWSERS = [
  [/MicroMessenger/, "WeChat"],
  [/Edg/, "Edge"],
  [/OPR/, "Opera"],
  [/Firefox/, "Firefox"],
  [/Chrome/, "Chrome"],
  [/Safari/, "Safari"],
];
/** @type {[RegExp, string][]} */
const SYSTEMS = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/Linux/, "Linux"],
];

async function show() {
  byId("stranger").hidden = me.account !== "";
  byId("mine").hidden = !me.account;
  if (!me.account) return;
  byId("my-account").textContent = `${me.account} · ${me.phone}`;
  byId("portrait").replaceChildren(face(me.headPicId ?? 0, me.nickName ?? ""));
  field("names", "nickName").value = me.nickName ?? "";
  byId("delete-room").hidden = !me.liveRoomId;
  await Promise.all([showLogins(), showNotices()]);
}

/**
 * @param {"names"} form
 * @param {string} name
 */
function field(form, name) {
  return /** @type {HTMLInputElement} */ (byId(form).elements.namedItem(name));
}

async function showLogins() {
  /** @type {{ list: Login[] }} */
  const { list } = await ask("GetMySessions");
  byId("logins").replaceChildren(...list.map(row));
}

/** @param {Login} login */
function row(login) {
  const when = `${t("loggedInAt")} ${times.format(login.loginTime * 1000)} · ${t("lastUsedAt")} ${times.format(login.lastTime * 1000)}`;
  const item = element(
    "li",
    { title: login.client },
    element("span", {}, `${clientName(login.client)} · ${login.address}`),
    element("span", { className: "soft" }, when),
  );
  if (login.isCurrent) {
    item.append(element("span", { className: "badge" }, t("thisLogin")));
    return item;
  }
  const button = element("button", { type: "button" }, t("endLogin"));
  button.addEventListener("click", () => end(login));
  item.append(button);
  return item;
}

/** @param {string} client a User-Agent, or what an app calls itself */
function clientName(client) {
  const [browser, system] = [BROWSERS, SYSTEMS].map((names) => names.find(([part]) => part.test(client))?.[1]);
  return client.startsWith("Mozilla/") && browser && system ? `${browser}, ${system}` : client || "–";
}

/** @param {Login} login */
async function end(login) {
  byId("logins-trouble").textContent = "";
  try {
    await ask("EndSession", { loginId: login.loginId });
    await showLogins();
  } catch (failure) {
    byId("logins-trouble").textContent = messageOf(failure);
  }
}

async function choosePicture() {
  const [file] = byId("file").files ?? [];
  byId("file-trouble").textContent = "";
  if (!file) return;
  try {
    await crop.open(file);
    byId("cut").hidden = false;
    byId("crop").focus();
  } catch {
    byId("file-trouble").textContent = t("badPicture");
  }
  byId("file").value = ""; // so that the same file can be chosen again
}

function endCut() {
  byId("cut").hidden = true;
  byId("file").focus();
}

byId("file").addEventListener("change", choosePicture);
byId("no-cut").addEventListener("click", endCut);
onSubmit(byId("cut"), async () => {
  await ask("ModifyUserHeadPic", { headPic: crop.cut() });
  endCut();
  await refresh();
});
onSubmit(byId("names"), async ({ nickName }) => {
  byId("named").textContent = "";
  await ask("ModifyUserInfo", { nickName });
  byId("named").textContent = t("saved");
  await refresh();
});
onSubmit(byId("change"), async ({ oldPassword, password }) => {
  byId("changed").textContent = "";
  const account = me.account;
  await ask("ModifyUserPwd", { phone: me.phone, oldPassword, password });
  await ask("Login", { account, password }); // a new password ends every login, this one too
  byId("change").reset();
  byId("changed").textContent = t("passwordChanged");
  await refresh();
});
onSubmit(byId("delete"), async ({ password }) => {
  await ask("DeleteMyAccount", { password });
  byId("delete").reset();
  byId("gone").textContent = t("accountDeleted");
  await ask("LogOut").catch(() => {}); // the login has ended: this takes its cookie away
  await refresh();
});
byId("everywhere").addEventListener("click", () => ask("LogOut", { everywhere: 1 }).finally(refresh));
byId("log-in").addEventListener("click", logIn);
onSession(show);
start();
