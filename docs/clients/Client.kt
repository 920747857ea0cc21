// A client of QPlus Live Server, for Android, whose own library has all that it needs. Call it off the main thread.

import java.io.IOException
import java.net.HttpURLConnection
import java.net.URL
import org.json.JSONObject

/** An answer other than done: docs/api.md has the numbers. */
class Refused(val status: Int, val desc: String) : Exception("$status $desc")

data class Room(
    val liveRoomId: Int,
    val liveRoomName: String,
    val liveRoomAnchorPwd: String,
    val playerCount: Int,
    val needPassword: Boolean,
    val playRtmpUrl: String,
) {
    /** For an encoder. Of the own room alone: others see no anchor password. */
    val pushAddress: String get() = "${playRtmpUrl.substringBefore('?')}?pwd=$liveRoomAnchorPwd"
}

data class Addresses(val playRtmpUrl: String, val playHlsUrl: String)

/** [site]: `http://host:port`. */
class Client(private val site: String) {
    private var session = ""

    /** An API's answer. Throws Refused, and IOException where there is none. */
    fun ask(api: String, vararg fields: Pair<String, Any>): JSONObject {
        val body = JSONObject(fields.toMap())
        if (session.isNotEmpty()) body.put("sessionId", session)
        val connection = URL("$site/live/$api").openConnection() as HttpURLConnection
        try {
            connection.requestMethod = "POST"
            connection.connectTimeout = TIMEOUT
            connection.readTimeout = TIMEOUT
            connection.doOutput = true
            connection.setRequestProperty("Content-Type", "application/json")
            connection.outputStream.use { it.write(body.toString().toByteArray()) }
            if (connection.responseCode != 200) throw IOException("$api: HTTP ${connection.responseCode}")
            val reply = JSONObject(connection.inputStream.bufferedReader().use { it.readText() })
            if (reply.getInt("status") != DONE) throw Refused(reply.getInt("status"), reply.getString("desc"))
            return reply
        } finally {
            connection.disconnect()
        }
    }

    /** Once is enough. */
    fun register(account: String, phone: String, password: String) {
        try {
            ask("Register", "account" to account, "phone" to phone, "password" to password)
        } catch (refused: Refused) {
            if (refused.status != ACCOUNT_TAKEN) throw refused
        }
    }

    fun logIn(account: String, password: String) {
        session = ask("Login", "account" to account, "password" to password).getString("sessionId")
    }

    /** The user's own, made where there is none. */
    fun room(name: String): Room {
        ask("CreateLiveRoom", "liveRoomName" to name)
        return roomOf(ask("GetMyLiveRoom"))
    }

    /** The newest first. */
    fun liveRooms(): List<Room> {
        val list = ask("GetLiveRoomList", "type" to LIVE, "count" to 20).getJSONArray("list")
        return List(list.length()) { roomOf(list.getJSONObject(it)) }
    }

    fun follow(roomId: Int) {
        ask("FollowLiveRoom", "liveRoomId" to roomId, "isFollow" to 1)
    }

    /** Addresses that are good for this user. A private room needs its viewing password. */
    fun play(roomId: Int, password: String = ""): Addresses {
        val reply = ask("PlayLiveStream", "liveroomId" to roomId, "status" to 1, "liveRoomUserPwd" to password)
        return Addresses(reply.getString("playRtmpUrl"), reply.getString("playHlsUrl"))
    }

    private fun roomOf(told: JSONObject) = Room(
        told.getInt("liveRoomId"),
        told.getString("liveRoomName"),
        told.getString("liveRoomAnchorPwd"),
        told.getInt("playerCount"),
        told.getInt("needPassword") == 1,
        told.getString("playRtmpUrl"),
    )

    private companion object {
        const val DONE = 10000
        const val ACCOUNT_TAKEN = 10102
        const val LIVE = 1 // GetLiveRoomList's type
        const val TIMEOUT = 30_000 // milliseconds
    }
}
