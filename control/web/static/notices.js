/* How a user is told that a room they follow is live: by messages, and in this browser. */

import { ask, byId, messageOf } from "./common.js";
import { t } from "./notice_texts.js";

const WORKER = "/static/worker.js";
const trouble = byId("notices-trouble");

/** Where the browser can be told of anything: not without HTTPS, but at localhost. */
const canPush = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

export async function showNotices() {
  /** @type {{ byMessage: number, messageWay: string }} */
  const chosen = await ask("GetMyNotices");
  byId("by-message").checked = chosen.byMessage === 1;
  byId("by-message-row").hidden = chosen.messageWay === "console"; // which nobody but the operator reads
  byId("by-message-text").textContent = t(chosen.messageWay === "smtp" ? "noticeByMail" : "noticeByMessage");
  byId("by-push-row").hidden = !canPush;
  if (canPush) byId("by-push").checked = Boolean(await subscription());
}

/** @returns {Promise<PushSubscription | null | undefined>} */
async function subscription() {
  const registration = await navigator.serviceWorker.getRegistration(WORKER);
  return registration?.pushManager.getSubscription();
}

async function subscribe() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error(t("noticesDenied"));
  const registration = await navigator.serviceWorker.register(WORKER);
  await active(registration);
  /** @type {{ pushKey: string }} */
  const { pushKey } = await ask("GetMyNotices");
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: pushKey });
  const { endpoint, keys } = made.toJSON();
  await ask("AddPushSubscription", { endpoint, p256dh: keys?.p256dh, auth: keys?.auth });
}

async function unsubscribe() {
  const made = await subscription();
  if (!made) return;
  await ask("RemovePushSubscription", { endpoint: made.endpoint });
  await made.unsubscribe();
}

/** @param {ServiceWorkerRegistration} registration */
async function active(registration) {
  const worker = registration.installing ?? registration.waiting;
  if (registration.active || !worker) return;
  await new Promise((resolve) => {
    worker.addEventListener("statechange", () => worker.state === "activated" && resolve(null));
  });
}

/**
 * @param {"by-message" | "by-push"} id
 * @param {(on: boolean) => Promise<void>} work
 */
function onChange(id, work) {
  const box = byId(id);
  box.addEventListener("change", async () => {
    trouble.textContent = "";
    box.disabled = true;
    try {
      await work(box.checked);
    } catch (failure) {
      box.checked = !box.checked;
      trouble.textContent = messageOf(failure);
    } finally {
      box.disabled = false;
    }
  });
}

onChange("by-message", (on) => ask("SetMyNotices", { byMessage: on ? 1 : 0 }));
onChange("by-push", (on) => (on ? subscribe() : unsubscribe()));
