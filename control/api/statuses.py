"""The contract's statuses: the only numbers and texts a client ever gets, and which refusal each stands for."""

from __future__ import annotations

from enum import Enum

from control import refusals


class Status(Enum):
    SUCCESS = 10000, "成功"
    SERVER_ERROR = 10001, "系统异常"
    PARAM_ERROR = 10002, "参数错误"
    EXPIRED_SESSION = 10003, "登录过期,重新登录"
    ACCOUNT_NOT_EXISTS = 10100, "账号不存在"
    LOGIN_PASSWORD = 10101, "登录密码错误"
    ACCOUNT_EXISTS = 10102, "账号已注册"
    PHONE_EXISTS = 10103, "手机已注册"
    PHONE_NOT_EXISTS = 10104, "手机不存在"
    EMAIL_EXISTS = 10105, "邮箱已注册"
    EMAIL_NOT_EXISTS = 10106, "邮箱不存在"  # reserved
    LIVEROOM_ID_NOT_EXIST = 10200, "直播室ID不存在"
    REPEAT_PASSWORD_LIVEROOM = 10201, "直播室密码重复"
    LIVEROOM_NOT_EXISTS = 10202, "直播室不存在"
    INVALID_LIVEROOM_NAME = 10203, "直播室名称非法"
    INVALID_PASSWORD_LIVEROOM = 10204, "直播室密码非法"
    DECODE_HEAD_PIC = 10300, "头像解码错误"

    @property
    def number(self) -> int:
        return self.value[0]

    @property
    def text(self) -> str:
        return self.value[1]


STATUS_OF: dict[type[refusals.Refusal], Status] = {
    refusals.BadParameter: Status.PARAM_ERROR,
    refusals.TooOften: Status.PARAM_ERROR,
    refusals.Muted: Status.PARAM_ERROR,
    refusals.TooManyGuesses: Status.PARAM_ERROR,
    refusals.HungUp: Status.PARAM_ERROR,  # which nobody reads
    refusals.SessionExpired: Status.EXPIRED_SESSION,
    refusals.NoSuchAccount: Status.ACCOUNT_NOT_EXISTS,
    refusals.WrongPassword: Status.LOGIN_PASSWORD,
    refusals.AccountTaken: Status.ACCOUNT_EXISTS,
    refusals.PhoneTaken: Status.PHONE_EXISTS,
    refusals.NoSuchPhone: Status.PHONE_NOT_EXISTS,
    refusals.EmailTaken: Status.EMAIL_EXISTS,
    refusals.NoSuchRoom: Status.LIVEROOM_ID_NOT_EXIST,
    refusals.Orphaned: Status.LIVEROOM_ID_NOT_EXIST,
    refusals.EqualRoomPasswords: Status.REPEAT_PASSWORD_LIVEROOM,
    refusals.NoRoom: Status.LIVEROOM_NOT_EXISTS,
    refusals.BadRoomName: Status.INVALID_LIVEROOM_NAME,
    refusals.BadRoomPassword: Status.INVALID_PASSWORD_LIVEROOM,
    refusals.Banned: Status.INVALID_PASSWORD_LIVEROOM,  # to them the room is a private one that no password opens
    refusals.BadPicture: Status.DECODE_HEAD_PIC,
    refusals.NotSent: Status.SERVER_ERROR,
}


def answer_to(refusal: refusals.Refusal) -> tuple[Status, str]:
    """The status and its text, which may say which parameter was wrong."""
    status = STATUS_OF[type(refusal)]
    match refusal:
        case refusals.BadParameter(field=field, hint=hint):
            return status, f"{status.text}: {field}" + (f" ({hint})" if hint else "")
        case refusals.TooOften():
            return status, f"{status.text}: 操作过于频繁"
        case refusals.Muted():
            return status, f"{status.text}: 您已被禁言"
    return status, status.text
