#!/bin/sh
# Fills in one of the three nginx files for this start, and becomes that nginx.
#   nginx.sh guard|rtmp|web         what a container runs
#   nginx.sh print guard|rtmp|web   shows the file, no more
#   nginx.sh check guard|rtmp|web   is it well?
# Settings come under the names that control has for them.
# shellcheck disable=SC2086  # words are meant where nothing is quoted
# shellcheck disable=SC2174,SC3045  # the folders above are there; Debian's sh has ulimit
set -eu

here=$(dirname "$0")
temp=${TEMP_DIR:-/tmp/nginx}
sockets=${QPLUS_SOCKET_DIR:-/run/qplus}
hls=${QPLUS_HLS_DIR:-/srv/hls}
http_port=${QPLUS_HTTP_PORT:-8080}
rtmp_port=${QPLUS_RTMP_PORT:-1935}
guarded_port=19350
relay_port=20935
hls_port=21935
memory_mib=${QPLUS_RTMP_MEMORY_MIB:-1024}
tls=/etc/qplus/tls

fail() {
    echo "error: $*" >&2
    exit 1
}

line() {
    "$@" || printf '#'
}

# Every placeholder of the files. The guarded port is on a network of the guard and the rtmp nginx alone, the other inner
# ports on the container's own loopback. Other nodes have no port: a node among several is one container, docs/cluster.md.
values() {
    case $1 in
        guard) guarded=rtmp:$guarded_port ;;
        *) guarded=0.0.0.0:$guarded_port ;;
    esac
    https_port=${QPLUS_HTTPS_PORT:-8443}
    cat <<EOF
GUARDED=
UNGUARDED=#
NAMED=
IPV6=$(line test -s /proc/net/if_inet6)
TLS=$(line test -e "$tls/chain.pem")
PLAIN=$(line test ! -e "$tls/chain.pem")
TLS_DIR=$tls
HTTPS_PORT=$https_port
HTTPS_SUFFIX=$([ "$https_port" = 443 ] || echo ":$https_port")
RTMPS_PORT=${QPLUS_RTMPS_PORT:-1936}
NODES=#
NODE_RTMP_PORT=
RTMP_PER_ADDRESS=${QPLUS_RTMP_PER_ADDRESS:-256}
RTMP_PER_SITE=$((4 * ${QPLUS_RTMP_PER_ADDRESS:-256}))
GUARDED_ADDRESS=$guarded
RTMP_ADDRESS=$guarded
CLIENTS=8192
CONNECTIONS=20480
RELAY_ADDRESS=127.0.0.1:$relay_port
SEVERAL=#
SERVERS=
GUARD_SCRIPT=$here/guard.js
TEMP_DIR=$temp
NODE=${QPLUS_NODE:-local}
START=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
RTMP_PORT=$rtmp_port
HTTP_PORT=$http_port
UPDATE_PORT=28080
HLS_PORT=$hls_port
HLS_APPLICATION=hls-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
UPDATE_SECONDS=${QPLUS_UPDATE_SECONDS:-5}
INTERNAL_SOCKET=$sockets/internal.sock
PUBLIC_SOCKET=$sockets/public.sock
RTMP_SOCKET=$sockets/rtmp.sock
HLS_DIR=$hls
HLS_CLEANUP=on
PLAYLIST_SCRIPT=$here/playlist.js
NETWORK_SCRIPT=$here/network.js
VERDICT_DIR=$sockets/verdicts
SNAPSHOT_DIR=${QPLUS_SNAPSHOT_DIR:-/srv/snapshots}
QUESTIONS_SOCKET=$temp/questions.sock
ADDRESS_REQUESTS=${QPLUS_ADDRESS_REQUESTS:-100}
PROXY_PROTOCOL=$(proxy_protocol ' proxy_protocol')
RTMP_PROXY_PROTOCOL=$(rtmp_proxy_protocol)
REAL_IP_HEADER=$(proxy_protocol proxy_protocol X-Forwarded-For)
REAL_IP_FROM=$(each_proxy 's/.*/set_real_ip_from &;/')
PROXY_NETWORKS=$(each_proxy 's/.*/& 1;/')
EOF
}

# The first word where every connection begins with PROXY protocol, else the second.
proxy_protocol() {
    if [ "${QPLUS_PROXY_PROTOCOL:-off}" = on ]; then echo "$1"; else echo "${2:-}"; fi
}

rtmp_proxy_protocol() {
    if [ "${QPLUS_RTMP_PROXY_PROTOCOL:-off}" = on ]; then echo ' proxy_protocol'; fi
}

each_proxy() {
    printf '%s\n' "${QPLUS_TRUSTED_PROXIES:-}" | tr ', ' '\n\n' | sed '/^$/d' | sed "$1" | tr '\n' ' '
}

render() {
    values=$(values "$1")
    # Anything else would not be one word to nginx, nor plain text to sed.
    odd=$(printf '%s\n' "$values" | grep -Ev '^[A-Z0-9_]+=(#|[A-Za-z0-9.:/+_-]*)$' |
        grep -Ev '^(RTMP_)?PROXY_PROTOCOL= proxy_protocol$|^REAL_IP_FROM=(set_real_ip_from [0-9A-Fa-f.:/]+; )*$' |
        grep -Ev '^PROXY_NETWORKS=([0-9A-Fa-f.:/]+ 1; )*$' | cut -d= -f1)
    [ -z "$odd" ] || fail "letters, digits and .:/+-_ only:" $odd
    text=$(sed "$(printf '%s\n' "$values" | sed 's/\([A-Z0-9_]*\)=\(.*\)/s|@{\1}|\2|g/')" "$here/$1.conf")
    unknown=$(printf '%s\n' "$text" | grep -o '@{[^}]*}' | sort -u)
    [ -z "$unknown" ] || fail "$1.conf: no value for" $unknown
    printf '%s\n' "$text"
}

run() {
    mkdir -p -m 0700 "$temp" "$sockets"
    render "$1" >"$temp/$1.conf"
    if [ "$1" = rtmp ]; then
        rm -f "$sockets/rtmp.sock" # left by a killed one, in whose place nginx would not bind
        rm -rf "$hls"/[0-9]*       # of streams that ended with the nginx that wrote them
    fi
    rm -f "$temp/questions.sock"
    ulimit -n "$(ulimit -Hn)" # every viewer is a connection or two
    set -- "$1" nginx -e stderr -p "$temp" -c "$temp/$1.conf" -g 'daemon off;'
    case $1 in
        rtmp) shift && ulimit -s 65536 && ulimit -v $((memory_mib * 1024)) && exec perl "$here/listen.pl" "$guarded_port" "$relay_port" "$hls_port" "$@" 2>&1 ;;
        guard | web) shift && exec "$@" 2>&1 ;;
    esac
}

answers() {
    exec curl -fsS -m 3 -o /dev/null "$@"
}

case "${1:-} ${2:-}" in
    'guard ' | 'rtmp ' | 'web ') run "$1" ;;
    'print guard' | 'print rtmp' | 'print web') render "$2" ;;
    # Of control nothing is asked here: streams go on without it, and whoever ends what is unhealthy would cut them.
    'check rtmp') answers --unix-socket "$sockets/rtmp.sock" http://rtmp/stat ;;
    'check web') answers $(proxy_protocol --haproxy-protocol) "http://127.0.0.1:$http_port/alive" ;;
    'check guard') exec perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new("127.0.0.1:$ARGV[0]")' "$rtmp_port" ;;
    *) fail "usage: $0 [print|check] guard|rtmp|web" ;;
esac
