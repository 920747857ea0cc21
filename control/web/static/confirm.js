/* The page behind the link that a password change sends out: whose password it is, and the new one typed once more. */

import { byId, forgot, logIn, me, onSession, refresh, start } from "./common.js";
import { t } from "./texts.js";

const token = location.hash.slice(1);
history.replaceState(null, "", location.pathname); // no secret stays in the browser's history

/**
 * @param {string} path
 * @param {object} more
 */
async function post(path, more = {}) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token, ...more }),
  });
  if (answer.status === 429) return { later: true };
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

/** @param {Parameters<typeof t>[0]} text */
function say(text) {
  byId("message").textContent = t(text);
}

async function ask() {
  const answer = await post("/confirm/ask");
  if (answer.account === null) return gone();
  say("confirmAsk");
  byId("account").textContent = answer.account;
  byId("account").hidden = byId("again-form").hidden = false;
}

function gone() {
  say("confirmGone");
  byId("ask-again").hidden = false;
}

async function confirm() {
  byId("confirm").disabled = true;
  const answer = await post("/confirm", { password: byId("new-password").value });
  byId("confirm").disabled = false;
  if (answer.wrong || answer.later) {
    say(answer.wrong ? "confirmWrong" : "confirmLater");
    byId("new-password").select();
    return;
  }
  byId("account").hidden = byId("again-form").hidden = true;
  if (!answer.confirmed) return gone();
  say("confirmDone");
  await refresh(); // every login of the account has ended, which may have been this browser's
  if (me.account) return;
  byId("log-in").hidden = false;
  byId("log-in").focus();
  onSession(() => {
    if (me.account) location.assign("/");
  });
}

function failed() {
  byId("confirm").disabled = false;
  say("failed");
}

byId("again-form").addEventListener("submit", (event) => {
  event.preventDefault();
  confirm().catch(failed);
});
byId("log-in").addEventListener("click", logIn);
byId("ask-again").addEventListener("click", forgot);
start();
ask().catch(failed);
