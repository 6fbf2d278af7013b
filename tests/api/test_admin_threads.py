"""Whose completion is whose: the admin queue shared by threads, callbacks and the tool itself."""

import threading
import time
import warnings

import pytest

import nvme as d
from nvme import _core

GET_FEATURES, IDENTIFY, AER = 0x0A, 0x06, 0x0C


@pytest.fixture
def hasty(own):
    """A controller that gives up after 3 s: what is lost is told soon."""
    own.timeout = 500
    return own


def in_another_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def sent_by_another(nvme, seen, count=1):
    def send():
        for _ in range(count):
            nvme.getfeatures(7, cb=lambda cdw0, status1: seen.append("another's"))

    in_another_thread(send)


def given_up(nvme):
    """A command of the tool that took too long."""
    patience, nvme.timeout = nvme.timeout, 20
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "drive timeout")
        with pytest.raises(TimeoutError):
            nvme.id_data(0)
    nvme.timeout = patience


def test_a_thread_waits_for_its_own_commands_before_others(hasty):
    seen = []
    with d.sim(hasty).fault(admin=True, opcode=GET_FEATURES, delay=0.2, times=1):
        hasty.getfeatures(7, cb=lambda cdw0, status1: seen.append("own"))
        sent_by_another(hasty, seen)

        hasty.waitdone()
        first = list(seen)
        hasty.waitdone()

    assert first == ["own"]
    assert seen == ["own", "another's"]


def test_no_more_commands_of_others_are_taken_than_were_asked_for(hasty):
    seen = []
    sent_by_another(hasty, seen, count=3)
    time.sleep(0.05)

    hasty.waitdone(1)
    first = len(seen)
    hasty.waitdone(2)

    assert first == 1
    assert len(seen) == 3


def test_an_event_request_of_its_own_does_not_keep_a_thread_from_others():
    def without_aers(nvme):
        nvme.disable()
        nvme.init_adminq()
        nvme.enable()
        nvme.wait_csts(rdy=True)
        nvme.init_ctrl()

    seen = []
    nvme = d.Controller("sim:size=16M,latency=none", nvme_init_func=without_aers)
    nvme.timeout = 500
    nvme.send_cmd(AER)
    sent_by_another(nvme, seen)

    nvme.waitdone()

    assert seen == ["another's"]


def test_a_command_that_was_given_up_does_not_keep_a_thread_from_others(hasty):
    seen = []
    with d.sim(hasty).fault("drop", admin=True, opcode=IDENTIFY):
        given_up(hasty)
        sent_by_another(hasty, seen)

        hasty.waitdone()

    assert seen == ["another's"]


def test_what_a_thread_gave_up_before_it_ended_is_taken_by_another(hasty):
    before = _core.counts()["commands"]
    with d.sim(hasty).fault(admin=True, opcode=IDENTIFY, delay=1, times=1):
        in_another_thread(lambda: given_up(hasty))
        assert _core.counts()["commands"] == before + 1

        deadline = time.monotonic() + 60
        while _core.counts()["commands"] > before and time.monotonic() < deadline:
            hasty.id_data(0)

    assert _core.counts()["commands"] == before


def test_a_command_of_the_tool_in_a_callback_loses_no_completion(hasty):
    seen = []

    for _ in range(3):
        hasty.getfeatures(7, cb=lambda cdw0, status1: seen.append(hasty.id_data(0))).waitdone()

    assert len(seen) == 3


def test_a_command_of_the_tool_in_a_callback_starts_no_other_callback(hasty):
    inside = []
    most = []

    def cb(cdw0, status1):
        inside.append(1)
        most.append(len(inside))
        hasty.id_data(0)
        inside.pop()

    for _ in range(4):
        hasty.getfeatures(7, cb=cb)
    time.sleep(0.05)

    hasty.waitdone(4)

    assert most == [1, 1, 1, 1]
