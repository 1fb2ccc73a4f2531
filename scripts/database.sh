# shellcheck shell=bash
# database.sh: psql on the suite's database, for migrate, psql and quarantine. Sourced, behind lib.sh.
#
# The database is DATABASE_URL, from the environment or as scripts/up wrote it down. The password
# leaves the URL before psql sees it: a command line is everybody's to read.

decode_percent() {
	local text=${1//\\/\\\\}
	printf '%b' "${text//%/\\x}"
}

# Sets DATABASE_PLACE, the URL without its password, and exports PGPASSWORD.
find_database() {
	load_settings
	DATABASE_PLACE=${DATABASE_URL:-}
	[[ -n $DATABASE_PLACE ]] || die "no database: run scripts/up first, or set DATABASE_URL=postgresql://..."
	if [[ $DATABASE_PLACE =~ ^(postgres(ql)?://[^:/@?]*):([^/@?]*)@(.*)$ ]]; then
		DATABASE_PLACE="${BASH_REMATCH[1]}@${BASH_REMATCH[4]}"
		PGPASSWORD=$(decode_percent "${BASH_REMATCH[3]}")
		export PGPASSWORD
	fi
	command -v psql >/dev/null || die "psql is not installed: apt-get install postgresql-client"
}

# Scripts see no ~/.psqlrc, stop at the first error, and get bare values.
database() { psql -X -q -At -v ON_ERROR_STOP=1 "$@" "$DATABASE_PLACE"; }
