"""Packages of npm for a test: installed once for each lockfile, into the user's cache, with the files that use them."""
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "callweave"


def npm_folder(source, *programs):
    """The folder in which `programs` of `source` find the packages of its package-lock.json."""
    npm = shutil.which("npm")
    assert npm, "npm is missing: apt-get install nodejs npm"
    files = [Path(source) / name for name in ("package.json", "package-lock.json", *programs)]
    kind = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
    folder = CACHE / f"{Path(source).name}-{kind}"
    if folder.exists():
        return folder
    CACHE.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=CACHE))
    for file in files:
        shutil.copy(file, made)
    done = subprocess.run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=made, text=True,
                          capture_output=True, timeout=180)
    assert done.returncode == 0, f"npm ci: {done.stderr}"
    try:
        made.rename(folder)
    except OSError:  # another run was faster
        shutil.rmtree(made)
    return folder
