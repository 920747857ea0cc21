/* Words of the part of a user's page about notices. */

import { add } from "./texts.js";

export const t = add(
  {
    notices: "开播提醒",
    noticesHelp: "您关注的直播室开播时提醒您, 每次直播一次。",
    noticeByMail: "发邮件",
    noticeByMessage: "发消息到手机",
    noticeByPush: "在此浏览器中通知",
    noticesDenied: "浏览器不允许此网站发通知。",
  },
  {
    notices: "When somebody goes live",
    noticesHelp: "You are told that a room you follow is live, once for each broadcast.",
    noticeByMail: "By e-mail",
    noticeByMessage: "By a message to your phone",
    noticeByPush: "In this browser",
    noticesDenied: "This browser does not let this site notify you.",
  },
);
