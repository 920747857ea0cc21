/* The API's statuses that the pages tell apart, named as the server names them. */

export const Status = Object.freeze({
  SUCCESS: 10000,
  PARAM_ERROR: 10002,
  EXPIRED_SESSION: 10003,
  LIVEROOM_ID_NOT_EXIST: 10200,
  INVALID_PASSWORD_LIVEROOM: 10204,
});
