"""Processes that are ended in the middle of what they do."""

import os
import signal
import time


def forked(act, *arguments):
    """A child that does `act` and ends; nothing that it says is shown."""
    child = os.fork()
    if child:
        return child
    try:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        act(*arguments)
    except BaseException:
        os._exit(1)
    os._exit(0)


def ending(child):
    """The exit code of a child; that of a signal is negative."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def done_by_another(act, *arguments):
    code = ending(forked(act, *arguments))
    assert code == 0, f"a child ended with {code}"


def seconds_of(act, *arguments):
    start = time.perf_counter()
    done_by_another(act, *arguments)
    return time.perf_counter() - start


def killed_at_a_moment(seconds, act, *arguments):
    """Whether it was killed before it was done."""
    child = forked(act, *arguments)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    return _was_killed(child)


def killed_at_a_call(number, calls, act, *arguments):
    """Killed at the start or at the end of the call of that number to one of `calls` of `os`."""

    def act_until_then():
        left = [number]
        for name in calls:
            setattr(os, name, _deadly(getattr(os, name), left))
        act(*arguments)

    return _was_killed(forked(act_until_then))


def _deadly(call, left):
    def deadly(*arguments, **more):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        found = call(*arguments, **more)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return deadly


def _was_killed(child):
    code = ending(child)
    assert code in (0, -signal.SIGKILL), f"a child ended with {code}"
    return code != 0
