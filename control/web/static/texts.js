/* Every word of the pages, in both languages. */

import { Status } from "./statuses.js";

const zh = {
  brand: "QPlus 直播",
  skip: "跳到正文",
  studio: "直播间管理",
  login: "登录",
  register: "注册",
  logout: "退出",
  cancel: "取消",
  account: "账号",
  loginName: "账号 / 手机号 / 邮箱",
  phone: "手机号",
  email: "邮箱(可不填)",
  password: "密码",
  noAccount: "没有账号? 注册",
  hasAccount: "已有账号? 登录",
  liveNow: "正在直播",
  nobodyLive: "现在没有直播。",
  roomsIFollow: "我的关注",
  goLive: "三步开播",
  goLiveRoom: "在“直播间管理”里创建您的直播间。",
  goLiveKey: "把服务器地址和串流密钥复制到 OBS 或手机推流软件。",
  goLivePush: "点“开始直播”, 几秒后您的直播间就会出现在这里。",
  toStudio: "去开播",
  search: "搜索",
  searchHint: "直播室ID、名称、主题或主播",
  results: "搜索结果",
  nothingFound: "没有找到直播室。",
  watching: "人观看",
  private: "需密码",
  live: "直播中",
  offAir: "未开播",
  loading: "正在连接…",
  roomGone: "没有这个直播室。",
  waiting: "主播尚未开播。开播后会自动播放。",
  loginToWatch: "登录后即可观看。",
  askPassword: "这个直播室需要观看密码。",
  viewingPassword: "观看密码",
  enter: "进入",
  wrongPassword: "观看密码不对。",
  thrownOut: "您的观看权限已失效。",
  notLetIn: "主播暂时禁止您观看这个直播间。",
  again: "重新进入",
  follow: "关注",
  unfollow: "取消关注",
  followers: "人关注",
  noHls: "此浏览器不能播放 HLS。",
  trouble: "网络不稳定, 正在重试…",
  chat: "聊天",
  chatLogin: "登录后即可聊天。",
  chatClosed: "能观看这个直播室的人才能聊天。",
  yourMessage: "说点什么",
  send: "发送",
  newest: "有新消息",
  slowMode: "慢速模式, 发言间隔",
  deletedMessage: "(已删除)",
  refusedText: "这条消息不能发送。",
  moderate: "管理",
  deleteMessage: "删除",
  mute: "禁言十分钟",
  mutedUsers: "已禁言",
  done: "已完成:",
  chatRules: "聊天规则",
  slowSeconds: "发言间隔秒数(0 为不限)",
  mutedWords: "屏蔽词(每行一个)",
  studioLogin: "登录后即可管理您的直播间。",
  createRoom: "创建直播间",
  myRoom: "直播间设置",
  roomName: "名称",
  topic: "主题",
  description: "描述",
  create: "创建",
  save: "保存",
  saved: "已保存。",
  newAnchorPwd: "新的主播密码(不改则留空)",
  newUserPwd: "新的观看密码(不改则留空)",
  userPwd: "观看密码(留空则公开)",
  openSwitch: "公开直播间",
  openRoom: "公开: 登录用户都能观看",
  privateRoom: "私密: 需要观看密码",
  obs: "推流设置 (OBS)",
  obsHelp: "OBS → 设置 → 直播 → 服务选“自定义”。编码 H.264 与 AAC, 关键帧间隔 1 至 2 秒。",
  server: "服务器",
  key: "串流密钥",
  copy: "复制",
  copied: "已复制",
  show: "显示",
  hide: "隐藏",
  qr: "手机推流二维码",
  qrHelp: "用手机推流软件扫描。二维码含主播密码, 请勿外传。",
  state: "直播状态",
  viewers: "观看人数",
  bitrate: "码率",
  resolution: "分辨率",
  fps: "帧率",
  keyFrames: "关键帧间隔",
  encoder: "编码器",
  from: "来自",
  stop: "停止直播",
  start: "允许推流",
  gateShut: "推流已关闭, 剩余秒数: ",
  gateOpen: "可以推流。",
  keyFrameHint: "关键帧间隔过长: 请在编码器中设为 1 至 2 秒, 观众才能更快看到画面。",
  whoWatches: "正在观看",
  nobodyWatches: "现在没有观众。",
  unknownViewer: "凭密码的观众",
  kick: "踢出",
  ban: "禁看一小时",
  banned: "已禁看",
  lift: "解除",
  broadcasts: "最近的直播",
  neverLive: "还没有直播过。",
  began: "开始",
  lasted: "时长",
  mostViewers: "最高同时观看",
  allViewers: "总观众",
  ended: "结束方式",
  refused: "最近被拒绝的推流",
  noneRefused: "没有。",
  watchPage: "观看页面",
  failed: "网络错误, 请稍后再试。",
  seconds: "秒",
  noPicture: "画面无法播放。",
  myAccount: "我的账号",
  accountLogin: "登录后即可管理您的账号。",
  logins: "登录记录",
  loginsHelp: "不认识的登录请结束, 并修改密码。",
  thisLogin: "当前登录",
  endLogin: "结束",
  changePassword: "修改密码",
  oldPassword: "当前密码",
  newPassword: "新密码",
  passwordChanged: "密码已修改, 其他登录已结束。",
};

/** @type {Record<keyof typeof zh, string>} */
const en = {
  brand: "QPlus Live",
  skip: "Skip to content",
  studio: "Studio",
  login: "Log in",
  register: "Register",
  logout: "Log out",
  cancel: "Cancel",
  account: "Account",
  loginName: "Account, phone or e-mail",
  phone: "Phone",
  email: "E-mail (optional)",
  password: "Password",
  noAccount: "No account yet? Register",
  hasAccount: "Have an account? Log in",
  liveNow: "Live now",
  nobodyLive: "Nobody is live right now.",
  roomsIFollow: "Rooms I follow",
  goLive: "Go live in three steps",
  goLiveRoom: "Make a room in the studio.",
  goLiveKey: "Copy its server and stream key to OBS, or to an encoder on your phone.",
  goLivePush: "Start streaming: within seconds your room is here.",
  toStudio: "Go live",
  search: "Search",
  searchHint: "Room id, name, topic or anchor",
  results: "Found",
  nothingFound: "No room was found.",
  watching: "watching",
  private: "Password",
  live: "Live",
  offAir: "Off air",
  loading: "Connecting…",
  roomGone: "There is no such room.",
  waiting: "Off air. It starts by itself when the anchor goes live.",
  loginToWatch: "Log in to watch.",
  askPassword: "This room has a viewing password.",
  viewingPassword: "Viewing password",
  enter: "Enter",
  wrongPassword: "That is not the viewing password.",
  thrownOut: "You were taken out of this room, or your ticket has ended.",
  notLetIn: "The anchor does not let you watch this room for now.",
  again: "Try again",
  follow: "Follow",
  unfollow: "Unfollow",
  followers: "followers",
  noHls: "This browser cannot play HLS.",
  trouble: "The network is unsteady, trying again…",
  chat: "Chat",
  chatLogin: "Log in to chat.",
  chatClosed: "The chat is for those who may watch.",
  yourMessage: "Your message",
  send: "Send",
  newest: "New messages",
  slowMode: "Slow mode: one message in",
  deletedMessage: "(deleted)",
  refusedText: "This message cannot be sent.",
  moderate: "Moderate",
  deleteMessage: "Delete",
  mute: "Mute for ten minutes",
  mutedUsers: "Muted",
  done: "Done:",
  chatRules: "Rules of the chat",
  slowSeconds: "Seconds between two messages of one user (0: no limit)",
  mutedWords: "Muted words, one a line",
  studioLogin: "Log in to run your room.",
  createRoom: "Create your room",
  myRoom: "Your room",
  roomName: "Name",
  topic: "Topic",
  description: "Description",
  create: "Create",
  save: "Save",
  saved: "Saved.",
  newAnchorPwd: "New anchor password (empty: keep)",
  newUserPwd: "New viewing password (empty: keep)",
  userPwd: "Viewing password (empty: open to all)",
  openSwitch: "Open room",
  openRoom: "Open: everybody who is logged in may watch",
  privateRoom: "Private: viewers need the viewing password",
  obs: "Encoder settings (OBS)",
  obsHelp: "OBS → Settings → Stream → Service: Custom. H.264 and AAC, a key frame every 1 to 2 seconds.",
  server: "Server",
  key: "Stream key",
  copy: "Copy",
  copied: "Copied",
  show: "Show",
  hide: "Hide",
  qr: "QR code for phone encoders",
  qrHelp: "To be scanned by a phone encoder. It holds the anchor password: keep it to yourself.",
  state: "On air",
  viewers: "Viewers",
  bitrate: "Bitrate",
  resolution: "Resolution",
  fps: "Frame rate",
  keyFrames: "Key frames every",
  encoder: "Encoder",
  from: "From",
  stop: "Stop the stream",
  start: "Let the stream in",
  gateShut: "Pushing is shut. Seconds left: ",
  gateOpen: "You may push.",
  keyFrameHint: "Key frames are too far apart: set the encoder to one every 1 to 2 seconds, so that viewers see the picture sooner.",
  whoWatches: "Watching now",
  nobodyWatches: "Nobody is watching right now.",
  unknownViewer: "By password",
  kick: "Throw out",
  ban: "Ban for an hour",
  banned: "Banned",
  lift: "Lift",
  broadcasts: "Latest broadcasts",
  neverLive: "None yet.",
  began: "Began",
  lasted: "Lasted",
  mostViewers: "Most viewers",
  allViewers: "All viewers",
  ended: "How it ended",
  refused: "Pushes refused lately",
  noneRefused: "None.",
  watchPage: "Watch page",
  failed: "The network failed. Please try again.",
  seconds: "s",
  noPicture: "The picture cannot be played here.",
  myAccount: "Your account",
  accountLogin: "Log in to see your account.",
  logins: "Where you are logged in",
  loginsHelp: "End a login that you do not know, and change your password.",
  thisLogin: "This one",
  endLogin: "End",
  changePassword: "Change the password",
  oldPassword: "Current password",
  newPassword: "New password",
  passwordChanged: "The password is changed, and every other login has ended.",
};

/** @type {Record<number, string>} */
const STATUSES_EN = {
  10001: "Something failed on our side.",
  10002: "Something is missing or wrong",
  10003: "Please log in again.",
  10100: "There is no such account.",
  10101: "Wrong password.",
  10102: "This account name is taken.",
  10103: "This phone is registered already.",
  10104: "No account has this phone.",
  10105: "This e-mail address is registered already.",
  10200: "There is no such room.",
  10201: "The room's passwords must differ from each other.",
  10202: "You have no room.",
  10203: "This name cannot be used.",
  10204: "A room password has 4 to 64 letters, digits or . _ ~ -",
  10300: "This picture cannot be used.",
};

/** @type {Record<string, string>} */
const REASONS_ZH = {
  "wrong anchor password": "主播密码错误",
  "gate shut": "推流已关闭",
  "over before it began": "连接已断开",
  "a second stream on one connection": "同一连接重复推流",
  "another publisher was quicker": "其他推流抢先",
};

/** @type {Record<"zh" | "en", Record<string, string>>} */
const ENDINGS = {
  zh: {
    "": "直播中",
    left: "推流结束",
    silent: "网络中断",
    gate: "已停止直播",
    password: "主播密码已改",
    lost: "服务器中断",
  },
  en: {
    "": "On air",
    left: "Publisher left",
    silent: "Link was dead",
    gate: "Stopped",
    password: "Password changed",
    lost: "Server went down",
  },
};

/** What the server says of a refusal beside its status. @type {Record<string, string>} */
const SAID_EN = {
  操作过于频繁: "Too often. Wait a moment.",
  您已被禁言: "You are muted here for a time.",
};

export const language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
const texts = language === "zh" ? zh : en;

/** @param {keyof typeof zh} key */
export function t(key) {
  return texts[key];
}

/**
 * What a refused request is called; `desc` is the server's word, which is Chinese and may name a parameter.
 * @param {number} status
 * @param {string} desc
 */
export function statusText(status, desc) {
  const field = desc.split(": ")[1];
  if (field in SAID_EN) return language === "zh" ? `${field}。` : SAID_EN[field];
  if (language === "zh") return desc;
  if (field?.startsWith("password (")) return "This password is too easy to guess.";
  return (STATUSES_EN[status] ?? desc) + (status === Status.PARAM_ERROR && field ? `: ${field}` : "");
}

/** @param {string} reason */
export function reasonText(reason) {
  if (language !== "zh") return reason;
  if (reason.startsWith("already live from ")) return `已有推流, 来自 ${reason.slice(18)}`;
  return REASONS_ZH[reason] ?? reason;
}

/** @param {string} reason */
export function endingText(reason) {
  return ENDINGS[language][reason] ?? reason;
}

/** Fills in the texts that the page names. */
export function translate() {
  fill("text", (element, text) => (element.textContent = text));
  fill("placeholder", (element, text) => element.setAttribute("placeholder", text));
  fill("label", (element, text) => element.setAttribute("aria-label", text));
  fill("alt", (element, text) => element.setAttribute("alt", text));
}

/**
 * @param {string} name of the data attribute that holds the text's key
 * @param {(element: HTMLElement, text: string) => void} put
 */
function fill(name, put) {
  /** @type {NodeListOf<HTMLElement>} */
  const elements = document.querySelectorAll(`[data-${name}]`);
  for (const element of elements) put(element, t(/** @type {keyof typeof zh} */ (element.dataset[name])));
}
