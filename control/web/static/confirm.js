"use strict";

const TEXTS = {
  zh: {
    title: "确认修改密码",
    wait: "请稍候…",
    ask: "有人申请修改以下账号的登录密码。只有是您本人申请的, 才再输入一次新密码并确认。",
    password: "新密码",
    confirm: "确认新密码",
    done: "新密码已生效, 请重新登录。",
    wrong: "这不是申请时填写的新密码。",
    later: "尝试次数过多, 请稍后再试。",
    gone: "此链接已失效或已使用过。",
    failed: "网络错误, 请稍后再试。",
  },
  en: {
    title: "Confirm the new password",
    wait: "One moment…",
    ask: "Somebody asked to change the password of this account. Only if it was you, type the new password once more.",
    password: "New password",
    confirm: "Make the new password good",
    done: "The new password is good now. Please log in again.",
    wrong: "That is not the new password that was asked for.",
    later: "Too many tries. Please wait a while.",
    gone: "This link has expired or was used already.",
    failed: "The network failed. Please try again.",
  },
};

const language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
const texts = TEXTS[language];
/** @typedef {keyof typeof texts} Key */

const message = /** @type {HTMLElement} */ (document.getElementById("message"));
const account = /** @type {HTMLElement} */ (document.getElementById("account"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("again-form"));
const password = /** @type {HTMLInputElement} */ (document.getElementById("new-password"));
const button = /** @type {HTMLButtonElement} */ (document.getElementById("confirm"));

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

/** @param {Key} text */
function say(text) {
  message.textContent = texts[text];
}

async function ask() {
  const answer = await post("/confirm/ask");
  if (answer.account === null) return say("gone");
  say("ask");
  account.textContent = answer.account;
  account.hidden = form.hidden = false;
}

async function confirm() {
  button.disabled = true;
  const answer = await post("/confirm", { password: password.value });
  button.disabled = false;
  if (answer.wrong || answer.later) {
    say(answer.wrong ? "wrong" : "later");
    password.select();
    return;
  }
  account.hidden = form.hidden = true;
  say(answer.confirmed ? "done" : "gone");
}

function failed() {
  button.disabled = false;
  say("failed");
}

document.documentElement.lang = language;
document.title = texts.title;
/** @type {NodeListOf<HTMLElement>} */
const named = document.querySelectorAll("[data-text]");
for (const element of named) element.textContent = texts[/** @type {Key} */ (element.dataset.text)];
form.addEventListener("submit", (event) => {
  event.preventDefault();
  confirm().catch(failed);
});
ask().catch(failed);
