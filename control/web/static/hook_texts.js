/* Words of the studio's webhooks. */

import { add } from "./texts.js";

export const t = add(
  {
    webhooks: "Webhook",
    hooksHelp: "直播室的事件发送到您的程序",
    hookUrl: "地址",
    hookViewers: "包括观众的进出",
    hookAdd: "添加",
    hookSecret: "签名密钥, 只显示这一次。",
    hookTest: "测试",
    hookTaken: "已收到,",
    hookPause: "暂停",
    hookGoOn: "继续",
    hookPaused: "已暂停",
    hookRemove: "删除",
    hookAttempts: "最近的发送",
    hookFails: "发送失败, 下次:",
    hookWaiting: "条待发",
    hookAllTaken: "全部已收到",
  },
  {
    webhooks: "Webhooks",
    hooksHelp: "What happens in your room, posted to a program of yours",
    hookUrl: "Address",
    hookViewers: "Also who comes and who goes",
    hookAdd: "Add",
    hookSecret: "The secret it is signed with, shown this once.",
    hookTest: "Test",
    hookTaken: "Taken,",
    hookPause: "Pause",
    hookGoOn: "Go on",
    hookPaused: "Paused",
    hookRemove: "Remove",
    hookAttempts: "Last attempts",
    hookFails: "It fails; next:",
    hookWaiting: "to be posted",
    hookAllTaken: "All taken",
  },
);
