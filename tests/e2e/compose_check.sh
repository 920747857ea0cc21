#!/usr/bin/env bash
# From outside: an anchor and a viewer at a node that runs, however it was started. Leaves nothing running behind, and
# can be run again on the same data, since the accounts are new ones each time.
#   [HOST=127.0.0.1] [HTTP_PORT=8080] [RTMP_PORT=1935] tests/e2e/compose_check.sh
# Needs curl, python3 and ffmpeg here.
set -euo pipefail

host=${HOST:-127.0.0.1}
site=http://$host:${HTTP_PORT:-8080}
rtmp=rtmp://$host:${RTMP_PORT:-1935}/live
name=check$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')
temp=$(mktemp -d)
running=()

finish() {
    # ffmpeg would not heed a TERM while it waits for media.
    [ ${#running[@]} = 0 ] || kill -KILL "${running[@]}" 2>/dev/null || true
    wait
    rm -rf "$temp"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() {
    echo "  WRONG  $*" >&2
    exit 1
}

# --- the API

# ask API KEY=VALUE...: numbers go as strings, which are taken
ask() {
    python3 -c 'import json, sys; print(json.dumps(dict(each.split("=", 1) for each in sys.argv[1:])))' "${@:2}" |
        curl -sS -m 20 --data-binary @- "$site/live/$1"
}

# value KEY: of the JSON that comes in
value() {
    python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# granted API KEY=VALUE...: takes no refusal
granted() {
    local answer status
    answer=$(ask "$@")
    status=$(value status <<<"$answer")
    [ "$status" = 10000 ] || fail "$1 answers $status"
    echo "$answer"
}

# new_user SUFFIX: prints a session id
new_user() {
    local phone
    phone=$(printf '1%010d' "$(od -An -N4 -tu4 /dev/urandom)")
    granted Register account="$name$1" phone="$phone" password="$name" >/dev/null
    granted Login account="$name$1" password="$name" | value sessionId
}

# --- what can be waited for

is_ready() { curl -fsS -m 5 -o /dev/null "$site/readyz" 2>/dev/null; }
is_play() { [ "$(granted GetMyLiveRoom sessionId="$anchor" | value isPlay)" = "$1" ]; }
counted() { [ "$(granted GetLiveroomNumber sessionId="$anchor" liveroomId="$room" | value number)" = "$1" ]; }
listed() { granted GetLiveRoomList sessionId="$viewer" type=1 count=100 | grep -q "\"liveRoomId\":$room,"; }
ended() { ! kill -0 "$1" 2>/dev/null; }
http_answers() { [ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "$2")" = "$1" ]; }

# within SECONDS WHAT CONDITION...
within() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $deadline ] || fail "not in time: $what"
        sleep 0.2
    done
    echo "  ok     $what"
}

# --- encoders and players

encoder=(ffmpeg -nostdin -loglevel error -re -f lavfi -i testsrc=size=320x180:rate=15 -f lavfi -i sine
    -c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 15 -c:a aac -f flv)

# start COMMAND...: in the background, as $last
start() {
    "$@" >"$temp/${#running[@]}" 2>&1 &
    last=$!
    running+=("$last")
}

# stop PID: at once; without a word of the shell's about it
stop() {
    kill -KILL "$1"
    wait "$1" 2>/dev/null || true
}

# refused WHAT COMMAND...: it ends by itself, with an error
refused() {
    local status=0
    timeout 15 "${@:2}" >"$temp/refused" 2>&1 || status=$?
    { [ $status != 0 ] && [ $status != 124 ]; } || fail "not refused: $1 (status $status)"
    echo "  ok     refused: $1"
}

# plays WHAT URL: thirty pictures, two seconds of them
plays() {
    local pictures
    pictures=$(timeout 30 ffmpeg -nostdin -loglevel error -i "$2" -map 0:v -frames:v 30 -f framecrc - 2>/dev/null |
        grep -vc '^#' || true)
    [ "$pictures" = 30 ] || fail "$1: $pictures pictures of 30"
    echo "  ok     $1 plays"
}

# --- an anchor goes live, a viewer watches

within 30 "$site is ready" is_ready
anchor=$(new_user a)
viewer=$(new_user v)
room=$(granted CreateLiveRoom sessionId="$anchor" liveRoomName="$name" | value liveRoomId)
mine=$(granted GetMyLiveRoom sessionId="$anchor")
push_url="$rtmp/$room?pwd=$(value liveRoomAnchorPwd <<<"$mine")"
play_url="$rtmp/$room?pwd=$(value liveRoomUserPwd <<<"$mine")"
ticket=$(granted PlayLiveStream sessionId="$viewer" liveroomId="$room" status=1 | value playHlsUrl)
hls_url=$site/${ticket#*://*/} # its host may be a name that is not known here
echo "  ok     an account with room $room, and a viewer"

refused 'a push with a wrong password' "${encoder[@]}" -t 5 "$rtmp/$room?pwd=wrong"
is_play 0 || fail 'live without a publisher'
start "${encoder[@]}" "$push_url"
push=$last
within 10 'the room is live' is_play 1
within 5 'the viewer finds it in the list' listed
refused 'a play with a wrong password' ffmpeg -nostdin -loglevel error -i "$rtmp/$room?pwd=wrong" -t 1 -f null -
plays RTMP "$play_url"
start ffmpeg -nostdin -loglevel error -i "$play_url" -f null -
player=$last
within 5 'one viewer over RTMP is counted' counted 1
within 15 'HLS is there' http_answers 200 "$hls_url"
plays HLS "$hls_url"
within 5 'and one over HLS' counted 2
granted PlayLiveStream sessionId="$viewer" liveroomId="$room" status=0 >/dev/null
within 8 'a ticket that was given back lets nobody in' http_answers 403 "$hls_url"
within 5 'its viewer is counted no more' counted 1

# --- the gate

granted PushLiveStream sessionId="$anchor" liveRoomId="$room" status=0 timeout=60 >/dev/null
within 5 'a shut gate ends the push' ended "$push"
within 5 'the room is off air' is_play 0
refused 'a push through a shut gate' "${encoder[@]}" -t 5 "$push_url"
granted PushLiveStream sessionId="$anchor" liveRoomId="$room" status=1 timeout=60 >/dev/null
start "${encoder[@]}" "$push_url"
within 10 'live again once it is open' is_play 1
! ended "$player" || fail 'the player did not outlast its publisher'

stop "$player"
within 10 'the player has ended: nobody watches' counted 0
stop "$last"
within 10 'the encoder too: off air' is_play 0
