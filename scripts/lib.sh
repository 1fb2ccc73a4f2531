# shellcheck shell=bash
# lib.sh: what all scripts share: places, words for people, and the life of one service.
#
# Sourced, not run. Places and ports come from the environment, so that a second stack can stand
# beside the first: CALLWEAVE_VAR (data, logs, pid files), CALLWEAVE_BIN (programs),
# CALLWEAVE_<SERVICE>_PORT and CALLWEAVE_<SERVICE>_HOST.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VAR=${CALLWEAVE_VAR:-$ROOT/var}
BIN=${CALLWEAVE_BIN:-$ROOT/build/release/bin}
RUN=$VAR/run
LOGS=$VAR/log
ENV_FILE=${CALLWEAVE_ENV_FILE:-$RUN/env}
STOP_SECONDS=${CALLWEAVE_STOP_SECONDS:-30}
READY_SECONDS=${CALLWEAVE_READY_SECONDS:-30}

# In the order in which they are started; they are stopped in the reverse order.
# shellcheck disable=SC2034 # used by the scripts that source this
SERVICES=(sandbox ingest dispatcher integration-cache retailcrm uon moysklad bitrix24 webhook pbx-api speech hooks media-ws bot
	emulator console)

# -- words for people -------------------------------------------------------------------------------

step() { printf '==> %s\n' "$*"; }
say() { printf '    %s\n' "$*"; }
die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# -- settings ---------------------------------------------------------------------------------------

# Settings that `up` wrote down hold for every script; what the caller's environment says goes first.
load_settings() {
	local line name
	[[ -r $ENV_FILE ]] || { with_baileys && return 0; }
	while IFS= read -r line; do
		name=${line%%=*}
		[[ $name =~ ^[A-Z][A-Z0-9_]*$ ]] || continue
		[[ -v $name ]] || export "$name=${line#*=}"
	done <"$ENV_FILE"
	with_baileys
}

# The one process that is not wanted everywhere: it needs Node and a phone.
with_baileys() {
	if [[ ${CALLWEAVE_WITH_BAILEYS:-} == 1 && " ${SERVICES[*]} " != *" baileys-bridge "* ]]; then
		SERVICES+=(baileys-bridge)
	fi
}

default_port() { # SERVICE
	case $1 in
	ingest) echo 8000 ;;
	dispatcher) echo 8001 ;;
	hooks) echo 8010 ;;
	speech) echo 8011 ;;
	bot) echo 8016 ;;
	pbx-api) echo 8018 ;;
	retailcrm) echo 8019 ;;
	integration-cache) echo 8020 ;;
	uon) echo 8022 ;;
	moysklad) echo 8023 ;;
	bitrix24) echo 8024 ;;
	webhook) echo 8026 ;;
	baileys-bridge) echo 4001 ;;
	media-ws) echo 8080 ;;
	console) echo 8090 ;;
	emulator) echo 8025 ;;
	sandbox) echo 8099 ;;
	*) die "no service is called $1" ;;
	esac
}

service_setting() { # SERVICE NAME: the value of CALLWEAVE_<SERVICE>_<NAME>, or nothing
	local name=CALLWEAVE_${1^^}_$2
	name=${name//-/_}
	echo "${!name:-}"
}

service_port() {
	local port
	port=$(service_setting "$1" PORT)
	echo "${port:-$(default_port "$1")}"
}

# The address at which this machine reaches the service: one that listens everywhere is local, too.
service_address() {
	local host
	host=$(service_setting "$1" HOST)
	case $host in
	'' | 0.0.0.0 | ::) echo 127.0.0.1 ;;
	*:*) echo "[$host]" ;;
	*) echo "$host" ;;
	esac
}

service_url() { echo "http://$(service_address "$1"):$(service_port "$1")"; }

# -- packages ---------------------------------------------------------------------------------------

package_section() { # run | test: names from scripts/packages
	awk -v section="[$1]" '/^\[/ {inside = ($0 == section); next} inside && !/^#/ && NF' "$ROOT/scripts/packages"
}

missing_packages() { # NAME...: those that are not installed, on one line
	local name
	for name in "$@"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || printf '%s ' "$name"
	done
}

apt_install() { # "NAME NAME..."
	local as_root=()
	if ((EUID != 0)); then
		command -v sudo >/dev/null || die "packages are missing and only root may install them: apt-get install $1"
		as_root=(sudo)
		"${as_root[@]}" true || die "packages are missing and sudo refused: ask for apt-get install $1"
	fi
	say "installing $1"
	"${as_root[@]}" apt-get update -qq || die "apt-get update failed: is there a package mirror?"
	# shellcheck disable=SC2086 # one word a package
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >/dev/null ||
		die "could not install $1"
}

# -- who listens, who runs --------------------------------------------------------------------------

# The process that listens on a TCP port, as "name (pid 123)"; fails when the port is free.
port_owner() { # PORT
	local inode link pid
	inode=$(awk -v port="$(printf ':%04X$' "$1")" '$4 == "0A" && $2 ~ port {print $10; exit}' \
		/proc/net/tcp /proc/net/tcp6 2>/dev/null)
	[[ -n $inode ]] || return 1
	for link in /proc/[0-9]*/fd/*; do
		if [[ $(readlink "$link" 2>/dev/null) == "socket:[$inode]" ]]; then
			pid=${link#/proc/}
			pid=${pid%%/*}
			echo "$(cat "/proc/$pid/comm") (pid $pid)"
			return 0
		fi
	done
	echo "a process of another user"
}

# The pid of a running service. A pid file whose process is gone, or is another program, is removed.
service_pid() { # SERVICE
	local file=$RUN/$1.pid pid program
	pid=$(cat "$file" 2>/dev/null) || return 1
	# The name under which it was started: several CRMs are one program.
	IFS= read -r -d '' program 2>/dev/null <"/proc/$pid/cmdline" || program=
	if [[ ${program##*/} == "$1" ]] && alive "$pid"; then
		echo "$pid"
		return 0
	fi
	rm -f "$file"
	return 1
}

service_ready() { # SERVICE
	curl -fsS -o /dev/null --max-time 2 "$(service_url "$1")/readyz" 2>/dev/null
}

# -- the life of a service --------------------------------------------------------------------------

# Built programs, and the one that is not: baileys-bridge is a Node process with its packages beside it.
service_program() { # SERVICE
	if [[ $1 == baileys-bridge ]]; then echo "$ROOT/services/$1/$1"; else echo "$BIN/$1"; fi
}

# Detached from the terminal; standard error goes to the log, so a crash leaves its words there.
service_spawn() { # SERVICE
	local log=$LOGS/$1.log program
	program=$(service_program "$1")
	mkdir -p "$RUN" "$LOGS"
	(
		unset CALLWEAVE_VAR CALLWEAVE_BIN CALLWEAVE_ENV_FILE CALLWEAVE_STOP_SECONDS CALLWEAVE_READY_SECONDS CALLWEAVE_WITH_BAILEYS
		cd "$VAR" || exit
		CALLWEAVE_LOG_FILE=$log exec setsid "$program" </dev/null >>"$log" 2>&1
	) &
	echo $! >"$RUN/$1.pid"
}

service_wait_ready() { # SERVICE: fails with the end of the log when it does not become ready
	local deadline=$((SECONDS + READY_SECONDS))
	until service_ready "$1"; do
		if ! service_pid "$1" >/dev/null; then
			service_explain "$1" "ended at once"
			return 1
		fi
		if ((SECONDS >= deadline)); then
			service_explain "$1" "is not ready after $READY_SECONDS s ($(service_why_not "$1"))"
			return 1
		fi
		sleep 0.1
	done
}

service_why_not() { # SERVICE: what its /readyz says
	local words
	words=$(curl -sS --max-time 2 "$(service_url "$1")/readyz?verbose" 2>&1) || true
	echo "${words:-it does not answer}" | tr '\n' ' '
}

service_explain() { # SERVICE WORDS
	{
		echo "$1 $2; its log, $LOGS/$1.log, ends:"
		tail -n 10 "$LOGS/$1.log" 2>/dev/null | sed 's/^/    /'
		echo "Mend what it says, then: scripts/$1 start"
	} >&2
}

service_check_start() { # SERVICE: can it be started? One sentence when not.
	service_check_port "$1"
	[[ $1 != baileys-bridge || -d $ROOT/services/$1/node_modules ]] ||
		die "the packages of baileys-bridge are missing: run npm ci --omit=dev in services/baileys-bridge"
	[[ -x $(service_program "$1") ]] || die "$BIN/$1 is not built: run scripts/up, or cmake --preset release and cmake --build --preset release"
}

service_check_port() { # SERVICE
	local owner port
	port=$(service_port "$1")
	if owner=$(port_owner "$port"); then
		die "port $port, which $1 needs, is taken by $owner: stop it, or set CALLWEAVE_${1^^}_PORT"
	fi
	if ((EUID != 0 && port < $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start))); then
		die "port $port, which $1 needs, is open to root only: set CALLWEAVE_${1^^}_PORT to a higher one"
	fi
}

service_start() { # SERVICE
	local pid
	if pid=$(service_pid "$1"); then
		echo "$1 is already running (pid $pid)"
		return 1
	fi
	service_check_start "$1"
	service_spawn "$1"
	service_wait_ready "$1" || return 1
	echo "$1 is ready: pid $(service_pid "$1"), $(service_url "$1"), log $LOGS/$1.log"
}

service_stop() { # SERVICE
	local pid
	if ! pid=$(service_pid "$1"); then
		echo "$1 is not running"
		return 1
	fi
	if end_process "$pid" "$STOP_SECONDS"; then
		echo "$1 is stopped"
	else
		echo "$1 did not stop within $STOP_SECONDS s and was killed"
	fi
	rm -f "$RUN/$1.pid"
}

service_status() { # SERVICE
	local pid
	if ! pid=$(service_pid "$1"); then
		echo "$1 is not running"
		return 1
	fi
	if service_ready "$1"; then
		echo "$1 is ready: pid $pid, $(service_url "$1")"
	else
		echo "$1 runs (pid $pid) but is not ready: $(service_why_not "$1")"
		return 1
	fi
}

service_usage() {
	cat <<-END
		usage: scripts/$1 start|stop|restart|status
		  start    start it, detached, and wait until it is ready (log: $LOGS/$1.log)
		  stop     let it finish what is under way, at most $STOP_SECONDS s
		  restart  stop, when it runs, and start
		  status   exit 0 when it is ready
		Settings: the environment, then $ENV_FILE. $1 --help lists them.
	END
}

# The whole of scripts/<service>.
service_script() { # SERVICE VERB
	load_settings
	case ${2:-} in
	start) service_start "$1" ;;
	stop) service_stop "$1" ;;
	restart)
		if service_pid "$1" >/dev/null; then service_stop "$1"; fi
		service_start "$1"
		;;
	status) service_status "$1" ;;
	-h | --help) service_usage "$1" ;;
	*)
		service_usage "$1" >&2
		exit 1
		;;
	esac
}

# shellcheck source=scripts/servers.sh
. "$ROOT/scripts/servers.sh"
