/* What all pages share: asking the server, watching it, and who is logged in. */

import { Status } from "./statuses.js";
import { language, statusText, t, translate } from "./texts.js";

export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} desc
   */
  constructor(status, desc) {
    super(statusText(status, desc));
    this.status = status;
  }
}

/**
 * What a caught error says.
 * @param {unknown} failure
 */
export function messageOf(failure) {
  return failure instanceof Error ? failure.message : String(failure);
}

const HUES = 6; // in page.css

let assisted = 0; // the room in whose page for assistants this is

/** @param {number} room whose assistant's password, which the browser has in a cookie, goes with each question from now on */
export function assist(room) {
  assisted = room;
}

/**
 * Asks an API. Throws Refused for a status other than SUCCESS, and Error where there is no answer.
 * @param {string} api
 * @param {object} fields
 * @param {string} root "/live" asks as nobody, whoever is logged in
 * @returns {Promise<any>} the answer, as docs/api.md has it
 */
export async function ask(api, fields = {}, root = "/web") {
  let answer;
  try {
    answer = await fetch(`${root}/${api}`, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        "X-QPlus-Page": "1",
        ...(assisted ? { "X-QPlus-Assist": String(assisted) } : {}),
      },
      body: JSON.stringify(fields),
    });
  } catch {
    throw new Error(t("failed"));
  }
  if (!answer.ok) throw new Error(t("failed"));
  const reply = await answer.json();
  if (reply.status !== Status.SUCCESS) throw new Refused(reply.status, reply.desc);
  return reply;
}

/**
 * Follows a stream of events, over breaks. Returns what ends it.
 * @param {string} path
 * @param {Record<string, (data: any) => void>} handlers by event name
 * @param {() => void} [begins] called whenever the stream begins, before any handler
 */
export function watch(path, handlers, begins) {
  /** @type {EventSource} */
  let source;
  /** @type {number | undefined} */
  let timer;
  function open() {
    source = new EventSource(path);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
    if (begins) source.addEventListener("open", begins);
    // A server that is starting again answers 503, after which browsers do not try again by themselves.
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, 2000);
    });
  }
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}

/** @typedef {{ [id: string]: HTMLElement } & Elements} AnyElements */

/**
 * @template {string} Id
 * @param {Id} id
 * @returns {AnyElements[Id]} never null: a test looks each id up in the pages
 */
export function byId(id) {
  return /** @type {AnyElements[Id]} */ (document.getElementById(id));
}

/**
 * The one below `parent` that is always there.
 * @template {HTMLElement} [Found=HTMLElement]
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {Found}
 */
export function within(parent, selector) {
  return /** @type {Found} */ (parent.querySelector(selector));
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Partial<HTMLElementTagNameMap[Tag]>} attributes
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

/**
 * A head picture, or the first letter where there is none.
 * @param {number} headPicId
 * @param {string} name
 */
export function face(headPicId, name) {
  if (headPicId) return element("img", { className: "face", src: `/live/GetUserHeadPic?id=${headPicId}`, alt: "" });
  const letter = element("span", { className: `face hue${hue(name)}` }, [...name][0] ?? "?");
  letter.setAttribute("aria-hidden", "true");
  return letter;
}

/**
 * One of the colours of faces, the same for a name wherever it stands.
 * @param {string} name
 */
function hue(name) {
  let sum = 0;
  for (const letter of name) sum += letter.codePointAt(0) ?? 0;
  return sum % HUES;
}

/** @typedef {Record<string, string>} Fields: no page has a field for files */

/**
 * Runs a form's work; what it throws is shown in the form's `.error`.
 * @param {HTMLFormElement} form
 * @param {(fields: Fields) => unknown} work
 */
export function onSubmit(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = within(form, ".error");
    error.textContent = "";
    const fields = /** @type {Fields} */ (Object.fromEntries(new FormData(form)));
    await whileShut(within(form, "[type=submit]"), async () => {
      try {
        await work(fields);
      } catch (failure) {
        error.textContent = messageOf(failure);
      }
    });
  });
}

/**
 * Does some work while a button cannot be pressed. With that it would lose the keyboard's focus.
 * @param {HTMLButtonElement} button
 * @param {() => Promise<unknown>} work
 * @param {() => HTMLElement | null} [next] what has the focus next where the button is gone
 */
export async function whileShut(button, work, next = () => null) {
  const focused = document.activeElement === button;
  button.disabled = true;
  try {
    await work();
  } finally {
    button.disabled = false;
    if (focused && isNowhere()) (button.checkVisibility() ? button : next())?.focus();
  }
}

/** Whether nothing has the focus. */
function isNowhere() {
  const focused = document.activeElement;
  return !focused || focused === document.body || !focused.checkVisibility();
}

const HEADER = `
<a class="skip" href="#content" data-text="skip"></a>
<div>
  <a class="brand" href="/"><svg viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8"/><path d="M12 9v14l12-7z"/></svg><span data-text="brand"></span></a>
  <nav>
    <a href="/studio" data-text="studio"></a>
    <a id="to-profile" href="/profile" hidden><span id="own-face"></span><span id="who"></span></a>
    <button id="login" type="button" data-text="login"></button>
    <button id="logout" type="button" data-text="logout" hidden></button>
  </nav>
</div>`;

const DIALOG = `
<form id="login-form">
  <h2 data-text="login"></h2>
  <label><span data-text="loginName"></span><input name="account" required autocomplete="username"></label>
  <label><span data-text="password"></span><input name="password" type="password" required autocomplete="current-password"></label>
  <p class="error" role="alert"></p>
  <div class="row"><button class="main" type="submit" data-text="login"></button>
  <button type="button" class="close" data-text="cancel"></button></div>
  <p class="row"><button type="button" class="other" data-form="register-form" data-text="noAccount"></button>
  <button type="button" data-form="forgot-form" data-text="forgot"></button></p>
</form>
<form id="register-form" hidden>
  <h2 data-text="register"></h2>
  <label><span data-text="account"></span><input name="account" required minlength="2" maxlength="32" autocomplete="username"></label>
  <label><span data-text="phone"></span><input name="phone" type="tel" required autocomplete="tel"></label>
  <label><span data-text="email"></span><input name="email" type="email" autocomplete="email"></label>
  <label><span data-text="password"></span><input name="password" type="password" required minlength="6" maxlength="128" autocomplete="new-password"></label>
  <p class="error" role="alert"></p>
  <div class="row"><button class="main" type="submit" data-text="register"></button>
  <button type="button" class="close" data-text="cancel"></button></div>
  <p><button type="button" class="other" data-form="login-form" data-text="hasAccount"></button></p>
</form>
<form id="forgot-form" hidden>
  <h2 data-text="forgot"></h2>
  <p class="soft" data-text="forgotHelp"></p>
  <label><span data-text="phone"></span><input name="phone" type="tel" required autocomplete="tel"></label>
  <label><span data-text="newPassword"></span><input name="password" type="password" required minlength="6" maxlength="128" autocomplete="new-password"></label>
  <p class="error" role="alert"></p>
  <p class="done" id="link-sent" role="status"></p>
  <div class="row"><button class="main" type="submit" data-text="sendLink"></button>
  <button type="button" class="close" data-text="cancel"></button></div>
  <p><button type="button" data-form="login-form" data-text="backToLogin"></button></p>
</form>`;

const FOOTER = `
<div class="row">
  <label><span data-text="language"></span><select id="language"><option value="zh" lang="zh">中文</option><option value="en" lang="en">English</option></select></label>
  <label><span data-text="theme"></span><select id="theme"><option value="" data-text="themeSystem"></option><option value="light" data-text="themeLight"></option><option value="dark" data-text="themeDark"></option></select></label>
  <a href="/api" data-text="apiTitle"></a>
</div>`;

/**
 * Who is logged in; nobody is while the account is empty.
 * @type {{ account: string, userId?: number, phone?: string, nickName?: string, headPicId?: number, liveRoomId?: number }}
 */
export let me = { account: "" };
/** @type {(() => unknown)[]} */
const followers = [];

/**
 * Calls `work` at the start and whenever somebody logs in or out.
 * @param {() => unknown} work
 */
export function onSession(work) {
  followers.push(work);
}

export function logIn() {
  showForm("login-form");
  byId("session").showModal();
}

export function forgot() {
  showForm("forgot-form");
  byId("session").showModal();
}

/** @param {string} id of one of the dialog's forms */
function showForm(id) {
  for (const form of byId("session").querySelectorAll("form")) form.hidden = form.id !== id;
}

/** Finds out anew who is logged in. */
export async function refresh() {
  me = await ask("WhoAmI");
  const known = me.account !== "";
  byId("who").textContent = me.nickName ?? "";
  byId("own-face").replaceChildren(face(me.headPicId ?? 0, me.nickName ?? ""));
  byId("to-profile").hidden = byId("logout").hidden = !known;
  byId("login").hidden = known;
  for (const work of followers) await work();
}

/** @param {Fields} fields */
async function begin(fields) {
  await ask("Login", { account: fields.account, password: fields.password });
  byId("session").close();
  for (const form of byId("session").querySelectorAll("form")) form.reset();
  await refresh();
  if (isNowhere()) byId("to-profile").focus(); // the button that opened the dialog is gone
}

/** Draws the header and finds out who is here. To be called once, when the page's own parts are set up. */
export async function start() {
  document.documentElement.lang = language;
  within(document, "header").innerHTML = HEADER;
  document.body.append(element("footer", { innerHTML: FOOTER }));
  document.body.append(element("dialog", { id: "session", innerHTML: DIALOG }));
  translate();
  const dialog = byId("session");
  byId("login").addEventListener("click", logIn);
  byId("logout").addEventListener("click", () => ask("LogOut").finally(refresh));
  for (const button of dialog.querySelectorAll(".close")) button.addEventListener("click", () => dialog.close());
  /** @type {NodeListOf<HTMLElement>} */
  const others = dialog.querySelectorAll("[data-form]");
  for (const button of others) {
    button.addEventListener("click", () => {
      const id = button.dataset.form ?? "";
      showForm(id);
      within(byId(id), "input").focus();
    });
  }
  onSubmit(byId("login-form"), begin);
  onSubmit(byId("register-form"), async (fields) => {
    await ask("Register", fields);
    await begin(fields);
  });
  onSubmit(byId("forgot-form"), async (fields) => {
    byId("link-sent").textContent = "";
    await ask("ModifyUserPwd", fields, "/live");
    byId("link-sent").textContent = t("linkSent");
  });
  offerChoices();
  await refresh();
}

function offerChoices() {
  byId("language").value = language;
  byId("theme").value = window.choices.of("theme");
  byId("theme").addEventListener("change", () => window.choices.keep("theme", byId("theme").value));
  byId("language").addEventListener("change", () => {
    window.choices.keep("language", byId("language").value);
    location.reload();
  });
}
