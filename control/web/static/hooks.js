/* The studio's webhooks: where they go, how far they have come, and what came of the last attempts. */

import { ask, byId, element, messageOf, onSubmit, whileShut } from "./common.js";
import { t } from "./hook_texts.js";
import { language } from "./texts.js";

/** @typedef {{ webhookId: number, url: string, isPaused: number, position: number, failures: number, nextTime: number }} Webhook */
/** @typedef {{ number: number, type: string, time: number, httpStatus: number, failure: string }} Attempt */

const EVENTS = ["room.live", "room.ended", "publish.refused", "ingest.alert", "user.banned", "limit.reached"];
const OF_VIEWERS = ["viewer.joined", "viewer.left"];
const ATTEMPTS = 20;
const times = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium" });

export async function showHooks() {
  if (!byId("hooks").open) return;
  /** @type {{ lastNumber: number, list: Webhook[] }} */
  const { lastNumber, list } = await ask("GetMyWebhooks");
  byId("hook-list").replaceChildren(...list.map((hook) => row(hook, lastNumber)));
}

export function forgetHooks() {
  byId("hooks").open = false;
  byId("hook-list").replaceChildren();
  forgetSecret();
  showAttempts([]);
}

/**
 * @param {Webhook} hook
 * @param {number} lastNumber
 */
function row(hook, lastNumber) {
  const fields = { webhookId: hook.webhookId };
  const item = element("li", {}, element("span", {}, hook.url), element("span", { className: "soft" }, state(hook, lastNumber)));
  item.append(
    button(t("hookTest"), async () => {
      /** @type {{ failure: string, milliseconds: number }} */
      const tried = await ask("TestWebhook", fields);
      byId("hook-said").textContent = tried.failure || `${t("hookTaken")} ${tried.milliseconds} ms`;
    }),
    button(t(hook.isPaused ? "hookGoOn" : "hookPause"), async () => {
      await ask("EditWebhook", { ...fields, isPaused: hook.isPaused ? 0 : 1 });
      await showHooks();
    }),
    button(t("hookAttempts"), async () => {
      /** @type {{ list: Attempt[] }} */
      const { list } = await ask("GetWebhookDeliveries", { ...fields, count: ATTEMPTS });
      showAttempts(list);
    }),
    button(t("hookRemove"), async () => {
      await ask("RemoveWebhook", fields);
      await showHooks();
    }),
  );
  return item;
}

/**
 * @param {Webhook} hook
 * @param {number} lastNumber
 */
function state(hook, lastNumber) {
  if (hook.isPaused) return t("hookPaused");
  const waiting = lastNumber - hook.position;
  if (hook.failures) return `${t("hookFails")} ${times.format(hook.nextTime * 1000)} · ${waiting} ${t("hookWaiting")}`;
  return waiting ? `${waiting} ${t("hookWaiting")}` : t("hookAllTaken");
}

/**
 * @param {string} text
 * @param {() => Promise<void>} work
 */
function button(text, work) {
  const made = element("button", { type: "button" }, text);
  made.addEventListener("click", () => {
    byId("hooks-trouble").textContent = byId("hook-said").textContent = "";
    return whileShut(made, () => work().catch(showTrouble), () => byId("hooks"));
  });
  return made;
}

/** @param {unknown} failure */
function showTrouble(failure) {
  byId("hooks-trouble").textContent = messageOf(failure);
}

/** @param {Attempt[]} list */
function showAttempts(list) {
  byId("attempts-title").hidden = list.length === 0;
  byId("attempts").replaceChildren(
    ...list.map(({ number, type, time, httpStatus, failure }) =>
      element("li", {}, `${times.format(time * 1000)} · ${number} ${type} · ${failure || httpStatus}`),
    ),
  );
}

function forgetSecret() {
  byId("hook-made").hidden = true;
  byId("hook-secret").value = "";
}

byId("hooks").addEventListener("toggle", () => (byId("hooks").open ? showHooks().catch(showTrouble) : forgetSecret()));
onSubmit(byId("hook-form"), async ({ url }) => {
  const events = byId("hook-viewers").checked ? [...EVENTS, ...OF_VIEWERS] : EVENTS;
  /** @type {{ secret: string }} */
  const { secret } = await ask("AddWebhook", { url, events });
  byId("hook-form").reset();
  byId("hook-secret").value = secret;
  byId("hook-made").hidden = false;
  await showHooks();
});
