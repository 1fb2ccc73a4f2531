"""Processes that die at random, for the stories of storms: a service, PostgreSQL or Redis, by its name."""


def kill(stack, target):
    if target == "postgresql":
        stack.kill_pg()
    elif target == "redis":
        stack.redis.kill9()
    else:
        assert stack.services[target].running(), f"{target} died by itself:\n{stack.services[target].tail()}"
        stack.kill9(target)


def revive(stack, target):
    """Without waiting until it is ready."""
    if target == "postgresql":
        stack.start_pg()
    elif target == "redis":
        stack.redis.resume()
    else:
        stack.start(target, wait=False)
