#!/bin/sh
# Installs those of the given Debian packages that are absent, and says nothing when there are none.
# usage: install-debian.sh PACKAGE...
set -eu

installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || true
missing=
for package in "$@"; do
    case "
$installed
" in
    *"
installed $package
"*) ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "error: this is not Debian (there is no apt-get); please install what corresponds to:$missing" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "error: as root, please run: apt-get install$missing" >&2
        exit 1
    fi
    echo "Installing$missing (with sudo)" >&2
    # shellcheck disable=SC2086  # words are meant
    exec sudo -- sh "$0" $missing
fi

# Debian starts a service as it installs it. The nginx here runs under our own supervisor, and the distribution's
# would take port 80.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install $missing >/dev/null
