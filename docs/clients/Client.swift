// A client of QPlus Live Server, for iOS 15, macOS 12 and later; Swift 5.7.

import Foundation

/// An answer other than done: docs/api.md has the numbers.
struct Refused: Error {
    let status: Int
    let desc: String
}

struct Answer: Decodable {
    let status: Int
    let desc: String
}

struct Login: Decodable {
    let sessionId: String
    let liveRoomId: Int
}

struct Room: Decodable {
    let liveRoomId: Int
    let liveRoomName: String
    let liveRoomAnchorPwd: String
    let playerCount: Int
    let needPassword: Int
    let playRtmpUrl: String
    let playHlsUrl: String

    /// For an encoder. Of the own room alone: others see no anchor password.
    var pushAddress: String {
        let place = playRtmpUrl.split(separator: "?", maxSplits: 1).first.map(String.init) ?? ""
        return "\(place)?pwd=\(liveRoomAnchorPwd)"
    }
}

struct Rooms: Decodable {
    let list: [Room]
}

struct Addresses: Decodable {
    let playRtmpUrl: String
    let playHlsUrl: String
}

actor Client {
    private static let done = 10000
    private static let accountTaken = 10102
    private static let live = 1  // GetLiveRoomList's type

    private let site: URL
    private var session = ""

    /// `site`: `http://host:port`.
    init(site: URL) {
        self.site = site
    }

    /// An API's answer. Throws Refused, and URLError where there is none.
    func ask<Reply: Decodable>(_ api: String, _ fields: [String: Any] = [:], as _: Reply.Type = Answer.self) async throws -> Reply {
        var body = fields
        if !session.isEmpty { body["sessionId"] = session }
        var request = URLRequest(url: site.appendingPathComponent("live/\(api)"))
        request.httpMethod = "POST"
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.httpBody = try JSONSerialization.data(withJSONObject: body)
        let (data, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else { throw URLError(.badServerResponse) }
        let answer = try JSONDecoder().decode(Answer.self, from: data)
        guard answer.status == Client.done else { throw Refused(status: answer.status, desc: answer.desc) }
        return try JSONDecoder().decode(Reply.self, from: data)
    }

    /// Once is enough.
    func register(account: String, phone: String, password: String) async throws {
        do {
            _ = try await ask("Register", ["account": account, "phone": phone, "password": password])
        } catch let refused as Refused where refused.status == Client.accountTaken {}
    }

    func logIn(account: String, password: String) async throws {
        session = try await ask("Login", ["account": account, "password": password], as: Login.self).sessionId
    }

    /// The user's own, made where there is none.
    func room(name: String) async throws -> Room {
        _ = try await ask("CreateLiveRoom", ["liveRoomName": name])
        return try await ask("GetMyLiveRoom", as: Room.self)
    }

    /// The newest first.
    func liveRooms() async throws -> [Room] {
        try await ask("GetLiveRoomList", ["type": Client.live, "count": 20], as: Rooms.self).list
    }

    func follow(_ roomId: Int) async throws {
        _ = try await ask("FollowLiveRoom", ["liveRoomId": roomId, "isFollow": 1])
    }

    /// Addresses that are good for this user. A private room needs its viewing password.
    func play(_ roomId: Int, password: String = "") async throws -> Addresses {
        try await ask(
            "PlayLiveStream", ["liveroomId": roomId, "status": 1, "liveRoomUserPwd": password], as: Addresses.self)
    }
}
