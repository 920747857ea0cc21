/* A user's own account: where they are logged in, and their password. */

import { ask, byId, element, logIn, me, messageOf, onSession, onSubmit, refresh, start } from "./common.js";
import { language, t } from "./texts.js";

/**
 * @typedef {object} Login as GetMySessions has it
 * @property {string} loginId
 * @property {number} isCurrent
 * @property {number} lastTime
 * @property {string} address
 * @property {string} client
 */

const times = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

async function show() {
  byId("stranger").hidden = me.account !== "";
  byId("mine").hidden = !me.account;
  if (me.account) await showLogins();
}

async function showLogins() {
  /** @type {{ list: Login[] }} */
  const { list } = await ask("GetMySessions");
  byId("logins").replaceChildren(...list.map(row));
}

/** @param {Login} login */
function row(login) {
  const item = element(
    "li",
    {},
    element("span", {}, `${login.client || "–"} · ${login.address}`),
    element("span", { className: "soft" }, times.format(login.lastTime * 1000)),
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

onSubmit(byId("change"), async ({ oldPassword, password }) => {
  byId("changed").textContent = "";
  const account = me.account;
  await ask("ModifyUserPwd", { phone: me.phone, oldPassword, password });
  await ask("Login", { account, password }); // a new password ends every login, this one too
  byId("change").reset();
  byId("changed").textContent = t("passwordChanged");
  await refresh();
});
byId("log-in").addEventListener("click", logIn);
onSession(show);
start();
