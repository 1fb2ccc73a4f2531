"""Throw-away PostgreSQL and Redis, by the scripts temp_pg and temp_redis beside this file."""
import os
import subprocess
from pathlib import Path

import psycopg2
import psycopg2.extras

SUPPORT = Path(__file__).resolve().parent
ROOT = SUPPORT.parent.parent


def run(*command, **options):
    """Run a command; its output goes into the failure."""
    done = subprocess.run([str(part) for part in command], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}")
    return done.stdout


class Server:
    """What both have: start, kill -9, halt (politely), resume on the same port, close."""

    script = None

    def __init__(self, folder, *options):
        self.folder = Path(folder)
        self._control("start", *options)
        self.url = self._control("url")

    def _control(self, verb, *more):
        log = self.folder / f"{self.script}.out"
        self.folder.mkdir(parents=True, exist_ok=True)
        # A server inherits the output: a pipe would never close, so it is a file.
        with open(log, "w+") as out:
            code = subprocess.call([str(SUPPORT / self.script), verb, str(self.folder), *more],
                                   stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            out.seek(0)
            words = out.read().strip()
        if code != 0:
            raise RuntimeError(f"{self.script} {verb}: exit {code}\n{words}")
        return words

    def kill9(self):
        self._control("kill")

    def halt(self):
        self._control("halt")

    def resume(self):
        self._control("resume")

    def close(self):
        self._control("stop")


class Redis(Server):
    script = "temp_redis"


class Postgres(Server):
    script = "temp_pg"

    def database(self, name, template="template1"):
        """A database of its own for one story; gives its URL."""
        self.sql(self.url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url.rsplit("/", 1)[0] + "/" + name

    @staticmethod
    def sql(url, query, parameters=None):
        """Run one statement; rows as dictionaries, [] when it gives none."""
        connection = psycopg2.connect(url, connect_timeout=10)
        try:
            connection.autocommit = True
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(query, parameters)
                return [dict(row) for row in cursor.fetchall()] if cursor.description else []
        finally:
            connection.close()


def migrate(url):
    """Bring a database to the newest schema, by the script that people use."""
    run(ROOT / "scripts" / "migrate", env={**os.environ, "DATABASE_URL": url})
