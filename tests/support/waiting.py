"""Waiting with a deadline: a test never sleeps and hopes, it asks until the answer is right."""
import time


def wait_until(condition, timeout=10.0, what=None, interval=0.02):
    """Call `condition` until it gives something true, and return that.

    `what` says in words what was waited for; a callable is asked when the time is over, so that
    the failure shows the last state seen.
    """
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            words = what() if callable(what) else what
            raise AssertionError(f"not within {timeout:g} s: {words or condition}")
        time.sleep(interval)
        interval = min(interval * 1.3, 0.25)
