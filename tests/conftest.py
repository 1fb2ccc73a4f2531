"""Fixtures of stories and browser tests: whole stacks of real processes, and their logs kept when a story fails."""
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "support"))

import secret_scan  # noqa: E402
from servers import Postgres, migrate  # noqa: E402
from stack import START_ORDER, Stack  # noqa: E402

LOGS = Path(os.environ.get("CALLWEAVE_TEST_LOGS", HERE.parent / "build" / "test-logs"))


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=int(os.environ.get("LEDGER_KILLS", "100")),
                     help="how many processes the ledger story kills (1000 for a long run)")
    parser.addoption("--crm-day", default=os.environ.get("CRM_DAY", "3,12,15,6,10"),
                     help="enterprises, calls of each, speed, kills, seconds without one CRM: 40,250,1,60,600 for the long run")
    parser.addoption("--seed", type=int, default=None, help="repeat a random story with its seed")
    parser.addoption("--quick", action="store_true", help="leave out the stories that take minutes")


def pytest_configure(config):
    secret_scan.install()
    config.addinivalue_line("markers", "long: takes minutes; left out by --quick")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--quick"):
        quick = pytest.mark.skip(reason="--quick leaves out the long stories")
        for item in items:
            if "long" in item.keywords:
                item.add_marker(quick)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if outcome.get_result().failed:
        item.stash[FAILED] = True


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """One server for all stories that do not stop it; "migrated" is the template of their databases."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    migrate(server.database("migrated"))
    yield server
    server.close()


class StackFactory:
    """Makes stacks in one folder; closes them all; keeps their logs when something was wrong."""

    def __init__(self, folder, postgres, nodeid):
        self.folder = folder
        self.postgres = postgres
        self.nodeid = nodeid
        self.stacks = []

    def __call__(self, services=START_ORDER, own_postgres=False, settings=None):
        shared = {} if own_postgres else {"postgres": self.postgres, "template": "migrated"}
        stack = Stack(self.folder / f"stack{len(self.stacks)}", services, settings=settings, **shared)
        self.stacks.append(stack)
        return stack

    def close(self, failed):
        errors = []
        for stack in self.stacks:
            try:
                stack.close()
            except AssertionError as error:
                errors.append(str(error))
        if errors or failed:
            keep_logs(self.nodeid, self.folder)
        assert not errors, "\n\n".join(errors)


@pytest.fixture
def make_stack(request, tmp_path, postgres):
    """make_stack(services=(...), own_postgres=False, settings={}): a stack, not yet started."""
    factory = StackFactory(tmp_path, postgres, request.node.nodeid)
    yield factory
    factory.close(request.node.stash.get(FAILED, False))


@pytest.fixture(scope="module")
def module_stack(request, tmp_path_factory, postgres):
    """The same for stories that look many times at what was done once."""
    factory = StackFactory(tmp_path_factory.mktemp("module"), postgres, request.node.nodeid)
    before = request.session.testsfailed
    yield factory
    factory.close(request.session.testsfailed > before)


@pytest.fixture
def stack(make_stack):
    """All services, ready, on the shared PostgreSQL."""
    return make_stack().start_all()


def keep_logs(nodeid, folder):
    """Keep what the processes wrote, under build/test-logs/<story>/."""
    place = LOGS / re.sub(r"[^A-Za-z0-9_.-]+", "_", nodeid)
    shutil.rmtree(place, ignore_errors=True)
    for log in sorted(folder.rglob("*.log")):
        target = place / log.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, target)
    print(f"logs of this story: {place}")
