# shellcheck shell=bash
# servers.sh: a private PostgreSQL or Redis in a directory of its own, for scripts/up and for tests.
#
# Sourced, not run. A server is named by its directory. PostgreSQL refuses to run as root, so root
# hands that directory to the user "postgres"; everybody else runs it as himself.

# The newest PostgreSQL on this machine: the folder of initdb and pg_ctl.
pg_bindir() {
	local found
	found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)
	[[ -x $found ]] || { echo "PostgreSQL is not installed: apt-get install postgresql" >&2; return 1; }
	dirname "$found"
}

# pg_as COMMAND...: run it as the user that owns the cluster, in a folder that he may enter.
pg_as() {
	if ((EUID == 0)); then
		(cd / && exec runuser -u postgres -- "$@")
	else
		(cd / && exec "$@")
	fi
}

pg_own() { # DIR: make it, for the user that will run the server
	mkdir -p "$1"
	chmod 700 "$1"
	if ((EUID == 0)); then chown postgres: "$1"; fi
}

# May the server's user reach DIR? Root's private folders, say under /root, he may not enter.
pg_can_reach() {
	pg_as test -x "$1" 2>/dev/null
}

pg_running() { # DATA
	pg_as "$(pg_bindir)/pg_ctl" -D "$1" status >/dev/null 2>&1
}

# pg_initdb DATA AUTH [PWFILE]: a new cluster whose superuser is "callweave".
pg_initdb() {
	local data=$1 auth=$2 pwfile=${3:-}
	pg_as "$(pg_bindir)/initdb" -D "$data" -U callweave --auth="$auth" ${pwfile:+--pwfile="$pwfile"} \
		--encoding=UTF8 --locale=C.UTF-8 --no-sync >/dev/null
}

# pg_start DATA LOG OPTION...: OPTIONs are name=value of postgresql.conf. Waits until it answers.
pg_start() {
	local data=$1 log=$2 options='' option
	shift 2
	for option in "$@"; do options+=${option:+" -c '$option'"}; done
	pg_as "$(pg_bindir)/pg_ctl" -D "$data" -l "$log" -w -t 60 -o "$options" start >/dev/null
}

pg_stop() { # DATA [fast|immediate]
	pg_as "$(pg_bindir)/pg_ctl" -D "$1" -m "${2:-fast}" -w -t 60 stop >/dev/null
}

pg_pid() { # DATA: of the postmaster
	head -1 "$1/postmaster.pid" 2>/dev/null
}

# A free TCP port of 127.0.0.1, outside the range from which the system takes ports by itself: a
# server that is started again must find its port free.
free_port() {
	local port
	for _ in {1..200}; do
		port=$((30000 + RANDOM % 2768))
		if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			echo "$port"
			return 0
		fi
	done
	echo "no free port between 30000 and 32767" >&2
	return 1
}

# redis_start DIR PORT [PASSWORD]: data, log and pid file in DIR; returns when it answers.
redis_start() {
	local dir=$1 port=$2 password=${3:-}
	mkdir -p "$dir"
	(umask 077 && cat >"$dir/redis.conf") <<-END
		bind 127.0.0.1
		port $port
		dir $dir
		pidfile $dir/redis.pid
		logfile $dir/redis.log
		daemonize yes
		save ""
		appendonly no
		maxmemory 256mb
		maxmemory-policy allkeys-lru
		${password:+requirepass $password}
	END
	redis-server "$dir/redis.conf" >/dev/null
	redis_wait "$port" "$password" || { tail -5 "$dir/redis.log" >&2; return 1; }
}

redis_wait() { # PORT PASSWORD: at most 10 s
	local deadline=$((SECONDS + 10))
	until [[ $(REDISCLI_AUTH=$2 redis-cli -h 127.0.0.1 -p "$1" ping 2>/dev/null) == PONG ]]; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

redis_pid() { # DIR: when it runs
	local pid
	pid=$(cat "$1/redis.pid" 2>/dev/null) || return 1
	[[ $(cat "/proc/$pid/comm" 2>/dev/null) == redis-server ]] && echo "$pid"
}

# end_process PID SECONDS: TERM, wait, KILL. Returns 1 when it had to be killed.
end_process() {
	local pid=$1 deadline=$((SECONDS + $2))
	kill -TERM "$pid" 2>/dev/null || return 0
	while alive "$pid"; do
		if ((SECONDS >= deadline)); then
			kill -KILL "$pid" 2>/dev/null || true
			return 1
		fi
		sleep 0.05
	done
}

alive() { # PID: runs, and is not a zombie that nobody collected
	local state
	state=$(awk '/^State:/ {print $2}' "/proc/$1/status" 2>/dev/null) || return 1
	[[ -n $state && $state != Z ]]
}
